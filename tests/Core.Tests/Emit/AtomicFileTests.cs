using Compress.Core.Emit;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Emit;

public sealed class FailingWrite : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void LeavesTheOldContentAndNothingElse()
    {
        File.WriteAllText(folder["a"], "old");

        Assert.Throws<IOException>(() => AtomicFile.Write(folder["a"], stream =>
        {
            stream.Write("new"u8);
            throw new IOException("no space left");
        }));

        Assert.Equal("old", File.ReadAllText(folder["a"]));
        Assert.Equal([folder["a"]], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void LeavesNothingWhereThereWasNothing()
    {
        Assert.Throws<IOException>(() => AtomicFile.Write(folder["a"], _ => throw new IOException()));

        Assert.Empty(Directory.GetFiles(folder.Path));
    }
}

public sealed class LeftOverOfAKilledProcess : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void IsRemovedByTheNextWrite()
    {
        File.WriteAllText(folder[".a.0123.tmp"], "half");
        File.SetLastWriteTimeUtc(folder[".a.0123.tmp"], DateTime.UtcNow.AddMinutes(-1));

        AtomicFile.Write(folder["a"], stream => stream.Write("whole"u8));

        Assert.Equal([folder["a"]], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void StaysAtFirst_ForItsWriterMayBeAboutToLockIt()
    {
        File.WriteAllText(folder[".a.0123.tmp"], "whole");

        AtomicFile.Write(folder["a"], stream => stream.Write("whole"u8));

        Assert.True(File.Exists(folder[".a.0123.tmp"]));
    }

    [Fact]
    public void StaysWhileItsWriterLives()
    {
        using var other = new FileStream(folder[".a.0123.tmp"], FileMode.Create, FileAccess.ReadWrite, FileShare.Delete);
        File.SetLastWriteTimeUtc(folder[".a.0123.tmp"], DateTime.UtcNow.AddMinutes(-1));

        AtomicFile.Write(folder["a"], stream => stream.Write("whole"u8));

        Assert.True(File.Exists(folder[".a.0123.tmp"]));
    }
}
