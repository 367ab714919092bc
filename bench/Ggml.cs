using System.Runtime.InteropServices;

namespace Compress.Bench;

/// <summary>llama.cpp's own quantizers, called as its tools call them. bench/get-peers.sh fetches the library.</summary>
internal static unsafe class Ggml
{
    private const string Library = "libggml-base.so";

    /// <summary>Version of the npm package that get-peers.sh pins.</summary>
    public const string Version = "@node-llama-cpp/linux-x64 3.22.1";

    private static readonly Lazy<nint> Handle = new(Load);

    /// <summary>A type of ggml: its number there, and the function that unpacks it.</summary>
    public sealed record Format(string Name, int Type, string Dequantizer);

    public static Format Q4_0 { get; } = new("Q4_0", 2, "dequantize_row_q4_0");

    public static Format Q4_K { get; } = new("Q4_K", 12, "dequantize_row_q4_K");

    /// <summary>Prepares the quantizer's tables.</summary>
    public static void Initialize(Format format) =>
        ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(Handle.Value, "ggml_quantize_init"))(format.Type);

    /// <summary>Quantizes rows without importance weights; returns the number of bytes written.</summary>
    public static long Quantize(Format format, float[] weights, byte[] destination, int rows, int columns)
    {
        var quantize = (delegate* unmanaged<int, float*, void*, long, long, long, float*, nuint>)
            NativeLibrary.GetExport(Handle.Value, "ggml_quantize_chunk");
        fixed (float* source = weights)
        fixed (byte* target = destination)
        {
            return (long)quantize(format.Type, source, target, 0, rows, columns, null);
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

    private static nint Load()
    {
        string path = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../obj/peers", Library));
        return File.Exists(path) ? NativeLibrary.Load(path) : throw new FileNotFoundException($"{path} is missing: run bench/get-peers.sh");
    }
}
