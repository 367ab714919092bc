using System.Reflection;
using System.Text.RegularExpressions;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Compression;

public partial class EveryDiagnosticCode
{
    private static readonly (string Name, string Code)[] All =
        [.. typeof(Codes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (field.Name, (string)field.GetRawConstantValue()!))];

    [Fact]
    public void IsUniqueAndInTheRangeOfItsSubject()
    {
        Assert.Equal(All.Length, All.Select(row => row.Code).Distinct().Count());
        Assert.All(All, row => Assert.Matches("^CMPR(10|11|20|21|22|23|24|25|30|40|50)[0-9]{2}$", row.Code));
    }

    [Fact]
    public void HasASectionInTheDocumentsAndEachSectionACode() => Assert.Equal(
        All.Select(row => row.Code).Order(StringComparer.Ordinal),
        Section().Matches(Repository.Read("docs/diagnostics.md")).Select(match => match.Groups[1].Value));

    /// <summary>A test names the code, or the constant: by the text of all test projects.</summary>
    [Fact]
    public void HasATest()
    {
        string tests = string.Concat(Directory.GetFiles(Repository.PathOf("tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(File.ReadAllText));
        string[] without = [.. All.Where(row => !Regex.IsMatch(tests, $@"\bCodes\.{row.Name}\b|\b{row.Code}\b")).Select(row => row.Code)];
        Assert.Empty(without);
    }

    [GeneratedRegex("^## (CMPR.*)$", RegexOptions.Multiline)]
    private static partial Regex Section();
}
