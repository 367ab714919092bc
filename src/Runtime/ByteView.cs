using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Compress.Runtime;

/// <summary>A part of a <see cref="MappedBytes"/>: where one stored array lies.</summary>
internal readonly struct ByteView(MappedBytes memory, long offset, long length)
{
    /// <summary>Length in bytes.</summary>
    public long Length => length;

    /// <summary>A span of <paramref name="count"/> bytes from <paramref name="start"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Slice(long start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)start, (ulong)length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)count, (ulong)(length - start));
        return memory.Span(offset + start, count);
    }

    /// <summary><paramref name="count"/> elements from element <paramref name="start"/>. The memory need not be aligned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<T> Slice<T>(long start, int count)
        where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(Slice(start * Unsafe.SizeOf<T>(), checked(count * Unsafe.SizeOf<T>())));

    /// <summary>All bytes as elements; for parts shorter than 2 GiB.</summary>
    public ReadOnlySpan<T> All<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Slice(0, checked((int)length)));
}
