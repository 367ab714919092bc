using Compress.Tasks;

namespace Compress.Build.Tests.Tasks;

public sealed class Fingerprints : IDisposable
{
    private static readonly DateTime Past = new(2020, 2, 2, 2, 2, 2, DateTimeKind.Utc);

    private readonly string folder = Directory.CreateTempSubdirectory("compress-fingerprints-").FullName;

    public Fingerprints()
    {
        File.WriteAllText(Input, "abc");
        File.SetLastWriteTimeUtc(Input, Past);
        Fingerprint.Write(Print, "settings", Fingerprint.Take([Input, Absent, folder]));
        Directory.SetLastWriteTimeUtc(folder, Past);
        Fingerprint.Write(Print, "settings", Fingerprint.Take([Input, Absent, folder]));
        Directory.SetLastWriteTimeUtc(folder, Past);
    }

    private string Input => Path.Combine(folder, "input");

    private string Absent => Path.Combine(folder, "absent");

    private string Print => Path.Combine(folder, "print");

    [Fact]
    public void MatchesWhatItWasTakenFrom() => Assert.Null(Fingerprint.Difference(Print, "settings"));

    [Fact]
    public void OtherSettingsDoNotMatch() => Assert.NotNull(Fingerprint.Difference(Print, "other"));

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void AnotherTimeDoesNotMatch(int seconds)
    {
        File.SetLastWriteTimeUtc(Input, Past.AddSeconds(seconds));
        Assert.NotNull(Fingerprint.Difference(Print, "settings"));
    }

    [Fact]
    public void AnotherLengthDoesNotMatch()
    {
        File.WriteAllText(Input, "abcd");
        File.SetLastWriteTimeUtc(Input, Past);
        Assert.NotNull(Fingerprint.Difference(Print, "settings"));
    }

    [Fact]
    public void LinkIsFollowed()
    {
        string link = Path.Combine(folder, "link");
        File.CreateSymbolicLink(link, "input");
        Fingerprint.Write(Print, "settings", Fingerprint.Take([link]));
        Assert.Null(Fingerprint.Difference(Print, "settings"));
        File.SetLastWriteTimeUtc(Input, Past.AddSeconds(1));
        Assert.NotNull(Fingerprint.Difference(Print, "settings"));
    }

    [Fact]
    public void FileThatAppearsDoesNotMatch()
    {
        File.WriteAllText(Absent, "");
        Directory.SetLastWriteTimeUtc(folder, Past);
        Assert.NotNull(Fingerprint.Difference(Print, "settings"));
    }

    [Fact]
    public void FileThatComesToAFolderDoesNotMatch()
    {
        File.WriteAllText(Path.Combine(folder, "shard"), "");
        Assert.NotNull(Fingerprint.Difference(Print, "settings"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("settings\n")]
    public void TruncatedFingerprintDoesNotMatch(string text)
    {
        File.WriteAllText(Print, text);
        Assert.NotNull(Fingerprint.Difference(Print, "settings"));
    }

    [Theory]
    [InlineData(-10_000, false)]
    [InlineData(-20, true)] // within the tick of the file system's clock
    [InlineData(20, true)] // after the engine started to read
    public void ChangeAroundTheRunIsTooFresh(int milliseconds, bool expected)
    {
        DateTime start = Past.AddDays(1).AddMilliseconds(500);
        File.SetLastWriteTimeUtc(Input, start.AddMilliseconds(milliseconds));
        Assert.Equal(expected, Fingerprint.IsTooFresh(Input, start));
    }

    [Fact]
    public void TimesInWholeSecondsAreTakenForCoarse()
    {
        File.SetLastWriteTimeUtc(Input, Past);
        Assert.True(Fingerprint.IsTooFresh(Input, Past.AddSeconds(1.5)));
        Assert.False(Fingerprint.IsTooFresh(Input, Past.AddSeconds(2.5)));
    }

    [Fact]
    public void TimesInTheFutureSayNothing()
    {
        File.SetLastWriteTimeUtc(Input, DateTime.UtcNow.AddDays(1));
        Assert.False(Fingerprint.IsTooFresh(Input, DateTime.UtcNow));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
