using System.IO.MemoryMappedFiles;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Compress.Runtime;

/// <summary>
/// A read-only stretch of memory (a mapped file, an assembly's resource, or an array) that may be longer than 2 GiB.
/// Nothing is copied, and pages are read from disk as they are touched.
/// </summary>
internal sealed unsafe class MappedBytes : IDisposable
{
    private readonly IDisposable? owner;
    private readonly Assembly? assembly; // kept loaded as long as its resource is in use
    private byte* pointer;
    private byte[]? array; // instead of the pointer

    private MappedBytes(byte* pointer, long length, IDisposable? owner, Assembly? assembly = null)
    {
        this.pointer = pointer;
        this.owner = owner;
        this.assembly = assembly;
        Length = length;
    }

    private MappedBytes(byte[] array)
    {
        this.array = array;
        Length = array.LongLength;
    }

    /// <summary>True after <see cref="Dispose"/>.</summary>
    public bool IsDisposed => pointer is null && array is null;

    /// <summary>Length in bytes.</summary>
    public long Length { get; }

    /// <summary>Maps a whole file read-only.</summary>
    public static MappedBytes OpenFile(string path)
    {
        // Shared for everything: an open model must not stop anyone from replacing the file by a rename.
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        long length = stream.Length;
        if (length == 0)
        {
            return FromArray([]);
        }

        var file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        MemoryMappedViewAccessor view;
        try
        {
            view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        }
        finally
        {
            file.Dispose(); // the view keeps the mapping
        }

        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        return new MappedBytes(start + view.PointerOffset, length, view);
    }

    /// <summary>The bytes of an embedded resource, where the loader mapped them. Null if there is none of that name.</summary>
    public static MappedBytes? OpenResource(Assembly assembly, string name)
    {
        Stream? stream = assembly.GetManifestResourceStream(name);
        if (stream is null)
        {
            return null;
        }

        if (stream is UnmanagedMemoryStream unmanaged)
        {
            return new MappedBytes(unmanaged.PositionPointer, unmanaged.Length, unmanaged, assembly);
        }

        using (stream)
        {
            byte[] copy = new byte[stream.Length];
            stream.ReadExactly(copy);
            return FromArray(copy);
        }
    }

    /// <summary>The bytes of an array. It needs no disposing: spans of it keep it alive.</summary>
    public static MappedBytes FromArray(byte[] bytes) => new(bytes);

    /// <summary>A span of <paramref name="count"/> elements from byte <paramref name="offset"/>, which need not be aligned.</summary>
    /// <exception cref="ObjectDisposedException">The memory has been released.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<T> Span<T>(long offset, int count)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(IsDisposed, typeof(PackedModel));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)offset, (ulong)Length);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)count * sizeof(T), Length - offset);
        return array is null
            ? new ReadOnlySpan<T>(pointer + offset, count)
            : MemoryMarshal.Cast<byte, T>(array.AsSpan((int)offset, count * sizeof(T)));
    }

    /// <summary>A span of <paramref name="length"/> bytes from <paramref name="offset"/>.</summary>
    /// <exception cref="ObjectDisposedException">The memory has been released.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Span(long offset, int length) => Span<byte>(offset, length);

    /// <summary>
    /// Releases the memory. Spans taken from it must not be used any more. Without this call a file stays mapped until the process ends:
    /// a finalizer could pull it from under a span.
    /// </summary>
    public void Dispose()
    {
        if (pointer is not null && owner is MemoryMappedViewAccessor view)
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        pointer = null;
        array = null;
        owner?.Dispose();
        GC.KeepAlive(assembly);
    }
}
