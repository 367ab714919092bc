using System.Buffers;
using System.Runtime.InteropServices;
using Compress.Core.Models.Formats;
using Compress.Runtime;
using Compress.Runtime.Codecs.Keep;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models;

/// <summary>
/// Elements that do not simply follow each other in their file: gathered along the axes of their layout, and decoded, as they are asked for. Nothing is kept, so a tensor
/// may be larger than memory. Safe for several threads.
/// </summary>
/// <param name="type">What the elements are once they are decoded.</param>
/// <param name="layout">Where they are.</param>
/// <param name="bytes">What the file holds of them.</param>
internal sealed class StoredElements(DType type, TensorLayout layout, ByteView bytes)
{
    private const int ElementsAtOnce = 1 << 14;

    private readonly int size = type.SizeInBytes();

    /// <summary>Elements as floats.</summary>
    public void Read(long first, Span<float> destination)
    {
        if (type == DType.F32)
        {
            Copy(first, MemoryMarshal.AsBytes(destination));
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(ElementsAtOnce * size);
        for (int done = 0; done < destination.Length; done += ElementsAtOnce)
        {
            var part = destination.Slice(done, Math.Min(ElementsAtOnce, destination.Length - done));
            var raw = buffer.AsSpan(0, part.Length * size);
            Copy(first + done, raw);
            Elements.ToFloat(type, raw, part);
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Elements as bytes, one after the other.</summary>
    /// <param name="first">The first element, in row-major order.</param>
    /// <param name="destination">Whole elements.</param>
    public void Copy(long first, Span<byte> destination)
    {
        var axes = layout.Axes;
        Span<long> steps = stackalloc long[axes.Count];
        long rest = first, at = 0;
        for (int i = axes.Count - 1; i >= 0; i--)
        {
            steps[i] = rest % Math.Max(axes[i].Length, 1);
            rest /= Math.Max(axes[i].Length, 1);
            at += steps[i] * axes[i].Stride;
        }

        var inner = axes[^1];
        while (destination.Length > 0)
        {
            int count = (int)Math.Min(inner.Length - steps[^1], destination.Length / size);
            CopyRun(at, inner.Stride, destination[..(count * size)]);
            destination = destination[(count * size)..];
            at -= steps[^1] * inner.Stride;
            steps[^1] = 0;
            for (int i = axes.Count - 2; i >= 0; i--)
            {
                at += axes[i].Stride;
                if (++steps[i] < axes[i].Length)
                {
                    break;
                }

                at -= axes[i].Length * axes[i].Stride;
                steps[i] = 0;
            }
        }
    }

    private void CopyRun(long at, long stride, Span<byte> destination)
    {
        if (layout.Coding == ElementCoding.GroupedInt8)
        {
            DecodeGroups(at, MemoryMarshal.Cast<byte, float>(destination));
            return;
        }

        if (layout.Coding != ElementCoding.Plain)
        {
            DecodeBlocks(at, MemoryMarshal.Cast<byte, float>(destination));
            return;
        }

        if (stride == 1)
        {
            bytes.Slice(at * size, destination.Length).CopyTo(destination);
            return;
        }

        switch (size)
        {
            case 1: Gather<byte>(at, stride, destination); break;
            case 2: Gather<ushort>(at, stride, destination); break;
            case 4: Gather<uint>(at, stride, destination); break;
            default: Gather<ulong>(at, stride, destination); break;
        }
    }

    // Signed bytes of all elements, then the scales of the groups. The runs of coded elements follow each other in the file.
    private void DecodeGroups(long at, Span<float> destination)
    {
        long count = layout.StoredBytes / (layout.GroupSize + sizeof(float)) * layout.GroupSize;
        for (int i = 0; i < destination.Length; i++, at++)
        {
            float scale = BitConverter.ToSingle(bytes.Slice(count + (at / layout.GroupSize * sizeof(float)), sizeof(float)));
            destination[i] = (sbyte)bytes.Slice(at, 1)[0] * scale;
        }
    }

    private void DecodeBlocks(long at, Span<float> destination)
    {
        int elements = layout.Coding.BlockElements(), size = layout.Coding.BlockBytes();
        Span<float> block = stackalloc float[elements];
        while (destination.Length > 0)
        {
            int skipped = (int)(at % elements), count = Math.Min(elements - skipped, destination.Length);
            BlockElements.Decode(layout.Coding, bytes.Slice(at / elements * size, size), block);
            block.Slice(skipped, count).CopyTo(destination);
            destination = destination[count..];
            at += count;
        }
    }

    private void Gather<T>(long at, long stride, Span<byte> destination)
        where T : unmanaged
    {
        var elements = MemoryMarshal.Cast<byte, T>(destination);
        for (int i = 0; i < elements.Length; i++, at += stride)
        {
            elements[i] = bytes.Slice<T>(at, 1)[0];
        }
    }
}
