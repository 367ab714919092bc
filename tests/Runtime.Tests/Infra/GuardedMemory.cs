using System.Reflection;
using System.Runtime.InteropServices;

namespace Compress.Runtime.Tests.Infra;

/// <summary>Copies of arrays that end where a page without access begins: reading past the end ends the process.</summary>
internal sealed unsafe class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3, Private = 2;

    private readonly List<(nint Start, nuint Length)> mappings = [];

    private static int Anonymous => OperatingSystem.IsMacOS() ? 0x1000 : 0x20;

    public static bool IsSupported => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    public MappedBytes Place(byte[] bytes)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        nuint readable = (((nuint)bytes.Length + page - 1) / page * page) + page;
        nint start = Map(0, readable + page, ReadWrite, Private | Anonymous, -1, 0);
        Assert.NotEqual(-1, start);
        mappings.Add((start, readable + page));
        Assert.Equal(0, Protect(start + (nint)readable, page, 0));
        byte* data = (byte*)start + readable - bytes.Length;
        bytes.CopyTo(new Span<byte>(data, bytes.Length));
        var constructor = typeof(MappedBytes).GetConstructor(
            BindingFlags.NonPublic | BindingFlags.Instance, [typeof(byte*), typeof(long), typeof(IDisposable), typeof(Assembly)]);
        return (MappedBytes)constructor!.Invoke([Pointer.Box(data, typeof(byte*)), bytes.LongLength, null, null]);
    }

    public void Dispose()
    {
        foreach (var (start, length) in mappings)
        {
            _ = Unmap(start, length);
        }
    }

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "mprotect")]
    private static extern int Protect(nint address, nuint length, int protection);

    [DllImport("libc", EntryPoint = "munmap")]
    private static extern int Unmap(nint address, nuint length);
}
