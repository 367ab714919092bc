using System.Runtime.InteropServices;
using Compress.Core.Models;
using Compress.Runtime;
using Compress.Runtime.Codecs.Keep;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Allocation;

/// <summary>A layer with random noise instead of a quantizer's error: independent of the weights, of equal variance everywhere, of a chosen size.</summary>
internal static class NoiseProbe
{
    /// <summary>The layer's weights and noise: ‖noise‖² is <paramref name="relativeMse"/> ‖W‖², but for chance.</summary>
    /// <param name="tensor">The layer.</param>
    /// <param name="relativeMse">t².</param>
    /// <param name="seed">Another one gives other noise.</param>
    public static PackedTensor Of(SourceTensor tensor, double relativeMse, ulong seed)
    {
        float[] weights = new float[checked(tensor.Rows * tensor.Columns)];
        tensor.ReadRows(0, tensor.Rows, weights);
        double energy = 0;
        foreach (float weight in weights)
        {
            energy += (double)weight * weight;
        }

        double size = Math.Sqrt(relativeMse * energy / weights.Length);
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] += (float)(size * Normal(Signs.Word(seed, i)));
        }

        tensor.ReleasePages();
        byte[] bytes = MemoryMarshal.AsBytes<float>(weights).ToArray();
        var entry = new TensorEntry(tensor.Name, DType.F32, [.. tensor.Shape], 0, bytes.LongLength);
        var view = new ByteView(MappedBytes.FromArray(bytes), 0, bytes.LongLength);
        return new KeepTensor(new(tensor.Name, DType.F32, tensor.Shape, default, _ => (entry, view), _ => 0), Kernel.Fused);
    }

    // Nearly normal, of variance 1: the sum of four uniform numbers.
    private static double Normal(ulong word)
    {
        double sum = -2;
        for (int part = 0; part < 4; part++, word >>= 16)
        {
            sum += ((word & 0xFFFF) + 0.5) / 65536;
        }

        return sum * 1.7320508075688772;
    }
}
