using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Compress.Runtime.Kernels;

namespace Compress.Runtime.Codecs.Cvxq;

/// <summary>
/// Products group by group: each depth has its own loop, which keeps its sums in registers. Levels of up to 6 bits are looked up by byte shuffles, as
/// <see cref="StripDot{S, F, B}"/> does it, others one by one. A group's shift is multiplied with the sum of its activations, which is formed once.
/// </summary>
internal sealed unsafe partial class VectorMixedRows<S, F, B> : MixedRows
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private static int UnitCodes => Unsafe.SizeOf<B>();

    private static int Step => Unsafe.SizeOf<F>() / sizeof(float);

    /// <summary>The vector as it is, then in the order of shuffled levels, both filled up with zeros; then the sums of groups.</summary>
    public override int ArrangedLength(MixedMatrix matrix) => checked((2 * LineLength(matrix)) + matrix.Groups);

    public override void Arrange(MixedMatrix matrix, ReadOnlySpan<float> x, Span<float> arranged)
    {
        int line = LineLength(matrix);
        x.CopyTo(arranged);
        arranged[x.Length..line].Clear();
        StripDot<S, F, B>.Arrange(1, x, arranged.Slice(line, line));
        for (int group = 0; group < matrix.Groups; group++)
        {
            double sum = 0;
            foreach (float value in x[(group * matrix.GroupSize)..Math.Min((group + 1) * matrix.GroupSize, x.Length)])
            {
                sum += value;
            }

            arranged[(2 * line) + group] = (float)sum;
        }
    }

    public override void Multiply(MixedMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y)
    {
        int line = LineLength(matrix);
        float[] scales = ArrayPool<float>.Shared.Rent(matrix.Groups);
        byte[] unpacked = ArrayPool<byte>.Shared.Rent(matrix.GroupSize + UnitCodes);
        fixed (float* natural = arranged)
        {
            for (int r = 0; r < y.Length; r++)
            {
                matrix.ReadScales(firstRow + r, scales);
                fixed (byte* codes = matrix.Codes(firstRow + r))
                {
                    y[r] = Row(matrix, matrix.Headers(firstRow + r), codes, scales, unpacked, natural, natural + line, natural + (2 * line));
                }
            }
        }

        ArrayPool<byte>.Shared.Return(unpacked);
        ArrayPool<float>.Shared.Return(scales);
    }

    protected override void Unpack(ReadOnlySpan<byte> packed, int depth, int count, byte[] codes) => Strips<S, F, B>.Unpack(packed, depth, count, codes);

    private static int LineLength(MixedMatrix matrix) => checked((matrix.Columns + 63) / 64 * 64);

    private static float Row(
        MixedMatrix matrix, ReadOnlySpan<byte> headers, byte* codes, ReadOnlySpan<float> scales, byte[] unpacked, float* natural, float* shuffled, float* sums)
    {
        F total = default;
        float shifts = 0;
        nuint units = (nuint)(matrix.GroupSize / UnitCodes);
        var bytes = matrix.FullGroupBytes;
        ref byte tables = ref MemoryMarshal.GetArrayDataReference(matrix.LaneTables);
        int whole = matrix.Columns / matrix.GroupSize;
        for (int group = 0; group < headers.Length; group++)
        {
            byte header = headers[group];
            int depth = MixedMatrix.Depth(header);
            shifts += scales[group] * MixedMatrix.Shift(header) * sums[group];
            float* x = shuffled + (group * matrix.GroupSize);
            ref byte table = ref Unsafe.Add(ref tables, depth * MixedMatrix.LaneTableBytes);
            switch (group < whole && matrix.IsShuffled(depth) ? depth : -depth)
            {
                case 0: continue;
                case 1: total = Shuffled<One>(codes, units, ref table, x, scales[group], total); break;
                case 2: total = Shuffled<Two>(codes, units, ref table, x, scales[group], total); break;
                case 3: total = Shuffled<Three>(codes, units, ref table, x, scales[group], total); break;
                case 4: total = Shuffled<Four>(codes, units, ref table, x, scales[group], total); break;
                case 5: total = Shuffled<Five>(codes, units, ref table, x, scales[group], total); break;
                case 6: total = Shuffled<Six>(codes, units, ref table, x, scales[group], total); break;
                default:
                    int start = group * matrix.GroupSize, length = Math.Min(matrix.GroupSize, matrix.Columns - start);
                    Strips<S, F, B>.Unpack(new(codes, MixedMatrix.GroupBytes(length, depth)), depth, length, unpacked);
                    unpacked.AsSpan(length, UnitCodes).Clear();
                    LookedUp(ref unpacked[0], (nuint)length, ref MemoryMarshal.GetReference(matrix.Levels(depth, shiftIndex: 8)), natural + start, scales[group], ref total);
                    break;
            }

            codes += bytes[depth];
        }

        return S.Sum(total) + shifts;
    }

    // With five bits half of the levels are in a table, and the sign of the others is flipped: 5 operations more for 32 weights in 256 bits. With six the table is in two halves: 6 more.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static F Shuffled<TBits>(byte* codes, nuint units, ref byte table, float* x, float scale, F total)
        where TBits : struct, IConstant
    {
        var levels = new LevelTable(ref table);
        F sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        for (nuint unit = 0; unit < units; unit++)
        {
            levels.Lookup<TBits>(S.Codes(ref *codes, unit, TBits.Value), out B lows, out B highs);
            StripDot<S, F, B>.AccumulateWords(lows, highs, ref *x, unit * (nuint)UnitCodes, ref sum0, ref sum1, ref sum2, ref sum3);
        }

        return S.MultiplyAdd(S.Broadcast(scale), S.Add(S.Add(sum0, sum1), S.Add(sum2, sum3)), total);
    }

    // Codes and activations that fill up the last vector: any level times zero.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LookedUp(ref byte codes, nuint length, ref float levels, float* x, float scale, ref F total)
    {
        F sum0 = default, sum1 = default;
        nuint step = (nuint)Step, i = 0;
        for (; i + step < length; i += 2 * step)
        {
            sum0 = S.MultiplyAdd(S.Singles(ref Unsafe.Add(ref codes, i), ref levels), S.Load(ref *x, i), sum0);
            sum1 = S.MultiplyAdd(S.Singles(ref Unsafe.Add(ref codes, i + step), ref levels), S.Load(ref *x, i + step), sum1);
        }

        if (i < length)
        {
            sum0 = S.MultiplyAdd(S.Singles(ref Unsafe.Add(ref codes, i), ref levels), S.Load(ref *x, i), sum0);
        }

        total = S.MultiplyAdd(S.Broadcast(scale), S.Add(sum0, sum1), total);
    }

    protected override void Scale(ReadOnlySpan<byte> codes, ReadOnlySpan<float> levels, float scale, Span<float> weights)
    {
        ref byte code = ref MemoryMarshal.GetReference(codes);
        ref float level = ref MemoryMarshal.GetReference(levels), weight = ref MemoryMarshal.GetReference(weights);
        F factor = S.Broadcast(scale);
        int i = 0;
        for (; i + Step <= weights.Length; i += Step)
        {
            S.Store(S.Multiply(S.Singles(ref Unsafe.Add(ref code, i), ref level), factor), ref weight, (nuint)i);
        }

        for (; i < weights.Length; i++)
        {
            weights[i] = scale * levels[codes[i]];
        }
    }
}
