using System.Runtime.CompilerServices;

namespace Compress.Runtime;

/// <summary>A part of a <see cref="MappedBytes"/>: where one stored array lies.</summary>
internal readonly struct ByteView(MappedBytes memory, long offset, long length)
{
    /// <summary>Length in bytes.</summary>
    public long Length => length;

    /// <summary>A span of <paramref name="count"/> bytes from <paramref name="start"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Slice(long start, int count) => Slice<byte>(start, count);

    /// <summary><paramref name="count"/> elements from element <paramref name="start"/>. The memory need not be aligned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<T> Slice<T>(long start, int count)
        where T : unmanaged
    {
        long elements = length / Unsafe.SizeOf<T>();
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)start, (ulong)elements);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)count, (ulong)(elements - start));
        return memory.Span<T>(offset + (start * Unsafe.SizeOf<T>()), count);
    }

    /// <summary>The bytes from a place on.</summary>
    public ByteView From(long start)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)start, (ulong)length);
        return new(memory, offset + start, length - start);
    }

    /// <summary>All bytes as elements; there must be fewer than 2^31.</summary>
    public ReadOnlySpan<T> All<T>()
        where T : unmanaged => Slice<T>(0, checked((int)(length / Unsafe.SizeOf<T>())));
}
