using System.Text.Json;
using Compress.Runtime.Codecs;
using Compress.Runtime.Codecs.Higgs;
using Compress.Runtime.Codecs.Uniform;
using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Tests.Infra;

/// <summary>
/// A packed tensor of random codes, scales and tables, made without an encoder. It keeps what it packed, so that a decoder can be
/// checked against the format's definition. Shared with the benchmarks.
/// </summary>
internal sealed class PackedSample
{
    /// <summary>Seed of all rotations.</summary>
    public const ulong Seed = 0x8000_0000_0000_0001;

    private readonly Dictionary<string, (DType Type, byte[] Bytes)> arrays = [];
    private readonly Random random;
    private readonly string codec;
    private readonly string parameters;

    private PackedSample(string codec, int rows, int columns, int bits, int p, int groupSize, int rotated, string parameters)
    {
        random = new Random(HashCode(rows, columns, bits, p, rotated));
        this.codec = codec;
        this.parameters = parameters;
        (Rows, Columns, Bits, P, GroupSize, Rotated) = (rows, columns, bits, p, groupSize, rotated);
    }

    public int Rows { get; }

    public int Columns { get; }

    public int Bits { get; }

    public int P { get; }

    /// <summary>Columns that share a scale.</summary>
    public int GroupSize { get; }

    /// <summary>The largest block of the rotation.</summary>
    public int Rotated { get; }

    /// <summary>[rows, ceil(columns / p)].</summary>
    public ushort[] Codes { get; private set; } = [];

    /// <summary>Scales: [rows, groups], or one.</summary>
    public float[] Scales { get; private set; } = [];

    /// <summary>Zero points, one for each scale; empty if symmetric.</summary>
    public byte[] Zeros { get; private set; } = [];

    /// <summary>[n, p].</summary>
    public float[] Grid { get; private set; } = [];

    public int Groups => (Columns + GroupSize - 1) / GroupSize;

    public static PackedSample Higgs(int rows, int columns, int p, int n, int groupSize, int scaleExponent = -20)
    {
        var layout = CodeLayout.Of(n);
        var sample = new PackedSample("higgs", rows, columns, layout.Bits, p, (groupSize + p - 1) / p * p, groupSize,
            $$"""{"p":{{p}},"n":{{n}},"groupSize":{{groupSize}},"seed":{{Seed}},"scaleExponent":{{scaleExponent}}}""");
        sample.AddCodes((columns + p - 1) / p, layout);
        sample.AddScales((long)rows * sample.Groups, scaleExponent);
        sample.AddGrid(p, n);
        return sample;
    }

    public static PackedSample Uniform(
        int rows, int columns, int bits, bool symmetric, string granularity = "group", int groupSize = 64, int scaleExponent = -24)
    {
        int group = granularity == "group" ? groupSize : Math.Max(columns, 1);
        string size = granularity == "group" ? $"\"groupSize\":{groupSize}," : "";
        var sample = new PackedSample("uniform", rows, columns, bits, 1, group, group,
            $$"""{"bits":{{bits}},"symmetric":{{(symmetric ? "true" : "false")}},"granularity":"{{granularity}}",{{size}}"scaleExponent":{{scaleExponent}}}""");
        long scales = granularity == "tensor" ? 1 : (long)rows * sample.Groups;
        sample.AddCodes(columns, CodeLayout.Of(1 << bits), symmetric ? (1 << bits) - 1 : 1 << bits);
        sample.AddScales(scales, scaleExponent);
        if (!symmetric)
        {
            ushort[] zeros = sample.RandomCodes((int)scales, 1 << bits);
            sample.Zeros = Array.ConvertAll(zeros, zero => (byte)zero);
            sample.Add("w::zeros", DType.U8, Pack(zeros, CodeLayout.Of(1 << bits)));
        }

        return sample;
    }

    /// <summary>Opens the tensor.</summary>
    /// <param name="kernel">The kernel; by default the one that an application would get.</param>
    /// <param name="place">Puts an array into memory.</param>
    public PackedTensor Open(Kernel? kernel = null, Func<byte[], MappedBytes>? place = null)
    {
        using var document = JsonDocument.Parse(parameters);
        var parts = new PackedParts("w", DType.F32, [Rows, Columns], document.RootElement.Clone(), Find, _ => 0);
        return codec == "higgs" ? new HiggsTensor(parts, kernel) : new UniformTensor(parts, kernel);

        (TensorEntry, ByteView)? Find(string name)
        {
            if (!arrays.TryGetValue(name, out var array))
            {
                return null;
            }

            var entry = new TensorEntry(name, array.Type, [array.Bytes.Length / array.Type.SizeInBytes()], 0, array.Bytes.Length);
            return (entry, new ByteView((place ?? MappedBytes.FromArray)(array.Bytes), 0, array.Bytes.Length));
        }
    }

    public override string ToString() => $"{codec} [{Rows}, {Columns}] {parameters}";

    // HashCode.Combine differs from run to run.
    private static int HashCode(params int[] values) => values.Aggregate(17, (hash, value) => unchecked((hash * 31) + value));

    private void AddCodes(int codesPerRow, CodeLayout layout, int values = 0)
    {
        Codes = RandomCodes(Rows * codesPerRow, values == 0 ? layout.N : values);
        var packed = new MemoryStream();
        for (int row = 0; row < Rows; row++)
        {
            packed.Write(Pack(Codes.AsSpan(row * codesPerRow, codesPerRow), layout));
        }

        Add("w::codes", DType.U8, packed.ToArray());
    }

    private void AddScales(long count, int exponent)
    {
        Scales = new float[count];
        byte[] halves = new byte[2 * count];
        for (int i = 0; i < count; i++)
        {
            var half = (Half)(4096 + (random.NextDouble() * 28000));
            BitConverter.TryWriteBytes(halves.AsSpan(2 * i), half);
            Scales[i] = MathF.ScaleB((float)half, exponent);
        }

        Add("w::scales", DType.F16, halves);
    }

    private void AddGrid(int p, int n)
    {
        Grid = new float[n * p];
        byte[] bytes = new byte[2 * Grid.Length];
        for (int i = 0; i < Grid.Length; i++)
        {
            float value = (float)((random.NextDouble() - 0.5) * 6);
            ushort stored = n <= 16
                ? (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)
                : BitConverter.HalfToUInt16Bits((Half)value);
            BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), stored);
            Grid[i] = n <= 16 ? BitConverter.UInt32BitsToSingle((uint)stored << 16) : (float)BitConverter.UInt16BitsToHalf(stored);
        }

        Add($"::grid.p{p}n{n}", n <= 16 ? DType.BF16 : DType.F16, bytes);
    }

    private ushort[] RandomCodes(int count, int n)
    {
        ushort[] codes = new ushort[count];
        for (int i = 0; i < count; i++)
        {
            codes[i] = (ushort)random.Next(n);
        }

        return codes;
    }

    private static byte[] Pack(ReadOnlySpan<ushort> codes, CodeLayout layout)
    {
        byte[] packed = new byte[layout.RowBytes(codes.Length)];
        layout.Pack(codes, packed);
        return packed;
    }

    private void Add(string name, DType dtype, byte[] bytes) => arrays[name] = (dtype, bytes);
}
