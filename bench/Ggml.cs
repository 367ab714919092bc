using System.Runtime.InteropServices;

namespace Compress.Bench;

/// <summary>llama.cpp's own quantizers and dot products, called as its tools call them. bench/get-peers.sh fetches the libraries.</summary>
internal static unsafe class Ggml
{
    private const string Library = "libggml-base.so";

    // The build for AVX2 and FMA. Those for newer instruction sets have other names.
    private const string CpuLibrary = "libggml-cpu-haswell.so";

    /// <summary>Version of the npm package that get-peers.sh pins.</summary>
    public const string Version = "@node-llama-cpp/linux-x64 3.22.1";

    private static readonly Lazy<nint> Handle = new(() => Load(Library));

    private static readonly Lazy<nint> CpuHandle = new(() =>
    {
        _ = Handle.Value; // the CPU library is linked to it
        nint handle = Load(CpuLibrary);
        ((delegate* unmanaged<void>)NativeLibrary.GetExport(handle, "ggml_cpu_init"))();
        return handle;
    });

    /// <summary>True if the libraries have been fetched.</summary>
    public static bool IsThere => File.Exists(PathOf(Library));

    /// <summary>A type of ggml.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Type">Its number.</param>
    /// <param name="Dequantizer">The function that unpacks it.</param>
    /// <param name="BlockSize">Rows must be multiples of that.</param>
    /// <param name="Fallback">The type that llama-quantize takes for other rows, which it may in turn replace; null for F16.</param>
    public sealed record Format(string Name, int Type, string Dequantizer, int BlockSize, string? Fallback);

    public static Format Q4_0 { get; } = new("Q4_0", 2, "dequantize_row_q4_0", 32, null);

    public static Format Q4_K { get; } = new("Q4_K", 12, "dequantize_row_q4_K", 256, "Q5_0");

    /// <summary>Prepares the quantizer's tables.</summary>
    public static void Initialize(Format format) =>
        ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(Handle.Value, "ggml_quantize_init"))(format.Type);

    /// <summary>Quantizes rows, without importance of columns or with the same for all; returns the number of bytes written.</summary>
    public static long Quantize(Format format, float[] weights, byte[] destination, int rows, int columns, bool equalImportance = false)
    {
        float[]? importance = equalImportance ? [.. Enumerable.Repeat(1f, columns)] : null;
        var quantize = (delegate* unmanaged<int, float*, void*, long, long, long, float*, nuint>)
            NativeLibrary.GetExport(Handle.Value, "ggml_quantize_chunk");
        fixed (float* source = weights)
        fixed (byte* target = destination)
        fixed (float* weightsOfColumns = importance)
        {
            return (long)quantize(format.Type, source, target, 0, rows, columns, weightsOfColumns);
        }
    }

    /// <summary>Unpacks what <see cref="Quantize"/> wrote.</summary>
    public static float[] Dequantize(Format format, byte[] packed, int count)
    {
        var dequantize = (delegate* unmanaged<void*, float*, long, void>)NativeLibrary.GetExport(Handle.Value, format.Dequantizer);
        float[] weights = new float[count];
        fixed (byte* source = packed)
        fixed (float* target = weights)
        {
            dequantize(source, target, count);
        }

        return weights;
    }

    /// <summary>
    /// y = W x as llama.cpp does it on one thread: x is quantized to 8 bits, then comes one dot product for each packed row.
    /// </summary>
    public static void Multiply(Format format, byte[] packed, ReadOnlySpan<float> x, Span<float> y)
    {
        var traits = Traits(format.Type);
        byte[] scratch = new byte[x.Length * sizeof(float)];
        int rowBytes = packed.Length / y.Length;
        fixed (float* source = x)
        fixed (float* target = y)
        fixed (byte* weights = packed)
        fixed (byte* quantized = scratch)
        {
            Traits(traits->VectorType)->FromFloat(source, quantized, x.Length);
            for (int row = 0; row < y.Length; row++)
            {
                traits->Dot(x.Length, target + row, 0, weights + ((long)row * rowBytes), 0, quantized, 0, 1);
            }
        }
    }

    private static TypeTraits* Traits(int type) =>
        ((delegate* unmanaged<int, TypeTraits*>)NativeLibrary.GetExport(CpuHandle.Value, "ggml_get_type_traits_cpu"))(type);

    private static string PathOf(string library) => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../obj/peers", library));

    private static nint Load(string library)
    {
        string path = PathOf(library);
        return File.Exists(path) ? NativeLibrary.Load(path) : throw new FileNotFoundException($"{path} is missing: run bench/get-peers.sh");
    }

#pragma warning disable CS0649 // ggml fills it in
    // struct ggml_type_traits_cpu
    private struct TypeTraits
    {
        public delegate* unmanaged<float*, void*, long, void> FromFloat;
        public delegate* unmanaged<int, float*, nuint, void*, nuint, void*, nuint, int, void> Dot;
        public int VectorType;
        public long Rows;
    }
#pragma warning restore CS0649
}
