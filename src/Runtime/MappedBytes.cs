using System.IO.MemoryMappedFiles;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Compress.Runtime;

/// <summary>
/// A read-only stretch of native memory (a mapped file, an assembly's resource, or a pinned array) that may be longer than 2 GiB.
/// Nothing is copied, and pages are read from disk as they are touched.
/// </summary>
internal sealed unsafe class MappedBytes : IDisposable
{
    private readonly IDisposable? owner;
    private readonly object? keepAlive;
    private byte* pointer;

    private MappedBytes(byte* pointer, long length, IDisposable? owner, object? keepAlive)
    {
        this.pointer = pointer;
        this.owner = owner;
        this.keepAlive = keepAlive;
        Length = length;
    }

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
        return new MappedBytes(start + view.PointerOffset, length, view, null);
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

    /// <summary>The bytes of an array, which stays pinned until the result is disposed or collected.</summary>
    public static MappedBytes FromArray(byte[] bytes)
    {
        var pin = new PinnedArray(bytes);
        return new MappedBytes(pin.Address, bytes.LongLength, pin, null);
    }

    /// <summary>A span of <paramref name="length"/> bytes from <paramref name="offset"/>.</summary>
    /// <exception cref="ObjectDisposedException">The memory has been released.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(pointer is null, typeof(PackedModel));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)offset, (ulong)Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)length, (ulong)(Length - offset));
        return new ReadOnlySpan<byte>(pointer + offset, length);
    }

    /// <summary>Releases the memory. Spans taken from it must not be used any more.</summary>
    public void Dispose()
    {
        if (pointer is null)
        {
            return;
        }

        pointer = null;
        if (owner is MemoryMappedViewAccessor view)
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        owner?.Dispose();
        GC.KeepAlive(keepAlive);
    }

    private sealed class PinnedArray(byte[] bytes) : IDisposable
    {
        private GCHandle handle = GCHandle.Alloc(bytes, GCHandleType.Pinned);

        ~PinnedArray() => Dispose();

        public byte* Address => (byte*)handle.AddrOfPinnedObject();

        public void Dispose()
        {
            if (handle.IsAllocated)
            {
                handle.Free();
            }

            GC.SuppressFinalize(this);
        }
    }
}
