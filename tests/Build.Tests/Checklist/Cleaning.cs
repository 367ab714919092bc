using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>What <c>dotnet clean</c> removes, and what every build keeps from being removed.</summary>
public sealed class Cleaning(SmallApp small, TwoFrameworks two) : IClassFixture<SmallApp>, IClassFixture<TwoFrameworks>
{
    private readonly TestProject app = small.Reset();

    [Fact]
    public void CLN_01_CleanLeavesNothingOfOurs()
    {
        app.Build().MustSucceed();
        Assert.NotEmpty(OfBuilds(app));
        app.Run("clean").MustSucceed();
        Assert.Empty(OfBuilds(app));
    }

    [Fact]
    public void CLN_01_CleanLeavesNothingOfOursForSeveralFrameworks()
    {
        two.Library.Build().MustSucceed();
        Assert.NotEmpty(OfBuilds(two.Library));
        two.Library.Run("clean").MustSucceed();
        Assert.Empty(OfBuilds(two.Library));
    }

    [Fact]
    public void CLN_02_EveryBuildListsItsFilesSoThatTheNextOneKeepsThem()
    {
        for (int build = 1; build <= 2; build++)
        {
            app.Build().MustSucceed();
            string listed = app.Read("obj/Debug/net10.0/App.csproj.FileListAbsolute.txt");
            foreach (string file in new[] { "App.Tiny.g.cs", "App.Tiny.g.cs.fingerprint" })
            {
                Assert.Contains(Path.Combine("compress", file), listed);
                Assert.Single(app.Files("obj/Debug", file));
            }
        }
    }

    [Fact]
    public void CLN_03_CleanLeavesTheCacheAlone()
    {
        app.Build().MustSucceed();
        string[] entries = Entries();
        Assert.NotEmpty(entries);
        app.Run("clean").MustSucceed();
        Assert.Equal(entries, Entries());

        string[] Entries() => Directory.GetFiles(Path.Combine(app.Solution, "cache"), "*", SearchOption.AllDirectories);
    }

    // All that a build makes of ours is named after us or after the model. The SDK's own Clean leaves a few files of its own.
    private static IEnumerable<string> OfBuilds(TestProject project) =>
        project.Files("obj", "*").Concat(project.Files("bin", "*")).Select(file => Path.GetRelativePath(project.Folder, file))
            .Where(file => file.Contains("compress/", StringComparison.Ordinal) || file.Contains("tiny", StringComparison.OrdinalIgnoreCase));
}
