using System.Reflection;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Compression;

public class EveryDiagnosticCode
{
    private static readonly string[] All =
        [.. typeof(Codes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!)];

    [Fact]
    public void IsUnique() => Assert.Equal(All.Length, All.Distinct().Count());

    [Fact]
    public void HasASectionInTheDocuments()
    {
        string text = Repository.Read("docs/diagnostics.md");

        Assert.Equal([], All.Where(code => !text.Contains($"\n## {code}\n", StringComparison.Ordinal)));
    }
}
