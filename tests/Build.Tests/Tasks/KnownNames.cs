using System.Text.RegularExpressions;
using Compress.Build.Tests.Infra;
using Compress.Tasks;

namespace Compress.Build.Tests.Tasks;

/// <summary>The names that are known are those that are documented, and those that are used.</summary>
public class KnownNames
{
    [Fact]
    public void OfPropertiesAreThoseOfTheDocumentation() => Assert.Equal(Misspelling.Properties, Table("Properties"));

    [Fact]
    public void OfMetadataAreThoseOfTheDocumentation() => Assert.Equal(Misspelling.Metadata, Table("Items"));

    [Fact]
    public void OfPropertiesAreThoseThatTheTargetsUse()
    {
        string text = File.ReadAllText(Path.Combine(TestRun.Repository, "build", "Compress.Tasks.targets"));
        Assert.Equal(Misspelling.Properties, Regex.Matches(text, @"\$\((Compress\w+)\)").Select(match => match.Groups[1].Value).Distinct().Order());
    }

    // The names at the start of the rows under a heading.
    private static IEnumerable<string> Table(string heading)
    {
        string text = File.ReadAllText(Path.Combine(TestRun.Repository, "docs", "build.md"));
        string section = text.Split("\n## ").Single(part => part.StartsWith(heading + "\n", StringComparison.Ordinal));
        return Regex.Matches(section, @"^\| `(\w+)` \|", RegexOptions.Multiline).Select(match => match.Groups[1].Value).Order();
    }
}
