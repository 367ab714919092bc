using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Compress.Runtime.Kernels;

namespace Compress.Runtime.Codecs.Cvxq;

/// <summary>
/// Multiples of rows, added up. Shuffled levels stay in the order in which they come out: 4 loads and 4 stores for 32 weights, besides the operations of a product. It is brought back once.
/// </summary>
internal sealed unsafe partial class VectorMixedRows<S, F, B>
{
    public override void Accumulate(MixedMatrix matrix, int row, int firstGroup, int groups, float factor, Span<float> sums)
    {
        int size = matrix.GroupSize;
        float[] scales = ArrayPool<float>.Shared.Rent(groups);
        byte[] unpacked = ArrayPool<byte>.Shared.Rent(size + UnitCodes);
        matrix.ReadScales(row, firstGroup, scales.AsSpan(0, groups));
        var headers = matrix.Headers(row).Slice(firstGroup, groups);
        var natural = sums[..(groups * size)];
        var shifts = sums[(2 * groups * size)..];
        nuint units = (nuint)(size / UnitCodes);
        int whole = (matrix.Columns / size) - firstGroup;
        ref byte tables = ref MemoryMarshal.GetArrayDataReference(matrix.LaneTables);
        fixed (byte* start = matrix.CodesFrom(row, firstGroup))
        fixed (float* shuffled = sums.Slice(groups * size, groups * size))
        {
            byte* codes = start;
            for (int group = 0; group < groups; group++)
            {
                int depth = MixedMatrix.Depth(headers[group]);
                float scale = scales[group] * factor;
                shifts[group] += scale * MixedMatrix.Shift(headers[group]);
                float* to = shuffled + (group * size);
                ref byte table = ref Unsafe.Add(ref tables, depth * MixedMatrix.LaneTableBytes);
                switch (group < whole && matrix.IsShuffled(depth) ? depth : -depth)
                {
                    case 0: continue;
                    case 1: AddShuffled<One>(codes, units, ref table, scale, to); break;
                    case 2: AddShuffled<Two>(codes, units, ref table, scale, to); break;
                    case 3: AddShuffled<Three>(codes, units, ref table, scale, to); break;
                    case 4: AddShuffled<Four>(codes, units, ref table, scale, to); break;
                    case 5: AddShuffled<Five>(codes, units, ref table, scale, to); break;
                    case 6: AddShuffled<Six>(codes, units, ref table, scale, to); break;
                    default:
                        int first = group * size, length = Math.Min(size, matrix.Columns - ((firstGroup + group) * size));
                        Strips<S, F, B>.Unpack(new(codes, MixedMatrix.GroupBytes(length, depth)), depth, length, unpacked);
                        AddLookedUp(unpacked.AsSpan(0, length), matrix.Levels(depth, shiftIndex: 8), scale, natural.Slice(first, length));
                        break;
                }

                codes += matrix.FullGroupBytes[depth];
            }
        }

        ArrayPool<byte>.Shared.Return(unpacked);
        ArrayPool<float>.Shared.Return(scales);
    }

    public override void Collect(MixedMatrix matrix, int groups, Span<float> sums)
    {
        int size = matrix.GroupSize;
        var shuffled = sums.Slice(groups * size, groups * size);
        Span<int> order = stackalloc int[UnitCodes];
        StripDot<S, F, B>.Order(order);
        for (int unit = 0; unit < groups * size; unit += UnitCodes)
        {
            float shift = sums[(2 * groups * size) + (unit / size)];
            for (int i = 0; i < UnitCodes; i++)
            {
                sums[unit + order[i]] += shuffled[unit + i] + shift;
            }
        }
    }

    public override void AddMultiple(ReadOnlySpan<float> values, float factor, Span<float> sums)
    {
        ref float from = ref MemoryMarshal.GetReference(values), to = ref MemoryMarshal.GetReference(sums[..values.Length]);
        F multiple = S.Broadcast(factor);
        int i = 0;
        for (; i + Step <= values.Length; i += Step)
        {
            S.Store(S.MultiplyAdd(S.Load(ref from, (nuint)i), multiple, S.Load(ref to, (nuint)i)), ref to, (nuint)i);
        }

        for (; i < values.Length; i++)
        {
            sums[i] += values[i] * factor;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddShuffled<TBits>(byte* codes, nuint units, ref byte table, float scale, float* to)
        where TBits : struct, IConstant
    {
        var levels = new LevelTable(ref table);
        F factor = S.Broadcast(scale);
        nuint step = (nuint)Step;
        for (nuint unit = 0; unit < units; unit++)
        {
            levels.Lookup<TBits>(S.Codes(ref *codes, unit, TBits.Value), out B lows, out B highs);
            B first = S.InterleaveLow(lows, highs), second = S.InterleaveHigh(lows, highs);
            nuint at = unit * (nuint)UnitCodes;
            S.Store(S.MultiplyAdd(S.EvenBFloats(first), factor, S.Load(ref *to, at)), ref *to, at);
            S.Store(S.MultiplyAdd(S.OddBFloats(first), factor, S.Load(ref *to, at + step)), ref *to, at + step);
            S.Store(S.MultiplyAdd(S.EvenBFloats(second), factor, S.Load(ref *to, at + (2 * step))), ref *to, at + (2 * step));
            S.Store(S.MultiplyAdd(S.OddBFloats(second), factor, S.Load(ref *to, at + (3 * step))), ref *to, at + (3 * step));
        }
    }

    private static void AddLookedUp(ReadOnlySpan<byte> codes, ReadOnlySpan<float> levels, float scale, Span<float> to)
    {
        ref byte code = ref MemoryMarshal.GetReference(codes);
        ref float level = ref MemoryMarshal.GetReference(levels), sum = ref MemoryMarshal.GetReference(to);
        F factor = S.Broadcast(scale);
        int i = 0;
        for (; i + Step <= codes.Length; i += Step)
        {
            S.Store(S.MultiplyAdd(S.Singles(ref Unsafe.Add(ref code, i), ref level), factor, S.Load(ref sum, (nuint)i)), ref sum, (nuint)i);
        }

        for (; i < codes.Length; i++)
        {
            to[i] += levels[codes[i]] * scale;
        }
    }

    /// <summary>The byte tables of a depth, in registers.</summary>
    private readonly struct LevelTable(ref byte table)
    {
        private readonly B low = S.LoadTable(ref table);
        private readonly B high = S.LoadTable(ref Unsafe.Add(ref table, 16));
        private readonly B nextLow = S.LoadTable(ref Unsafe.Add(ref table, 32));
        private readonly B nextHigh = S.LoadTable(ref Unsafe.Add(ref table, 48));

        /// <summary>The lower and upper bytes of the levels of codes.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Lookup<TBits>(B codes, out B lows, out B highs)
            where TBits : struct, IConstant
        {
            if (TBits.Value < MixedMatrix.FirstFoldedDepth)
            {
                (lows, highs) = (S.Lookup(low, codes), S.Lookup(high, codes));
                return;
            }

            B place = S.Fold(codes, (byte)(1 << (TBits.Value - 1)), out B signs);
            lows = TBits.Value == 6 ? S.Lookup(low, nextLow, place) : S.Lookup(low, place);
            highs = S.Xor(TBits.Value == 6 ? S.Lookup(high, nextHigh, place) : S.Lookup(high, place), signs);
        }
    }
}
