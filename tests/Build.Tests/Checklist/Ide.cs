using System.IO.Compression;
using System.Text.Json;
using System.Xml.Linq;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>IDE: what editors find in an evaluated project and in the package. No editor has been run.</summary>
public sealed class Ide
{
    [Fact]
    public void IDE_01_EditorsKnowTheItemAndAllItsMetadata()
    {
        using var project = new TestProject("App", """
            <CompressedModel Include="tiny.safetensors" />
            <Content Include="other.safetensors" />
            """);
        Weights.Write(project.PathOf("tiny.safetensors"));
        Weights.Write(project.PathOf("other.safetensors"));
        project.Restore();
        using var evaluated = JsonDocument.Parse(project.Run("msbuild", "-getItem:AvailableItemName,PropertyPageSchema,CompressedModel,None,Content,UpToDateCheckInput").MustSucceed().Output);
        JsonElement[] Items(string name) => [.. evaluated.RootElement.GetProperty("Items").GetProperty(name).EnumerateArray()];

        Assert.Contains("CompressedModel", Items("AvailableItemName").Select(Identity));
        // Nothing but what the project says becomes a model, and what becomes one is nothing else.
        var model = Assert.Single(Items("CompressedModel"));
        Assert.Equal("tiny.safetensors", Identity(model));
        Assert.DoesNotContain("tiny.safetensors", Items("None").Concat(Items("Content")).Select(Identity));
        Assert.Contains("other.safetensors", Items("Content").Select(Identity));
        Assert.Contains("tiny.safetensors", Items("UpToDateCheckInput").Select(Identity));

        var page = Assert.Single(Items("PropertyPageSchema"), item => Identity(item).EndsWith("CompressedModel.xaml", StringComparison.Ordinal));
        Assert.Equal("File;BrowseObject", page.GetProperty("Context").GetString());
        XElement rule = Assert.Single(XDocument.Load(page.GetProperty("FullPath").GetString()!).Root!.Elements(), element => element.Name.LocalName == "Rule");
        var properties = rule.Elements().Where(element => element.Name.LocalName.EndsWith("Property", StringComparison.Ordinal)).ToArray();
        Assert.All(properties, property => Assert.False(string.IsNullOrEmpty(property.Attribute("Description")?.Value)));
        // Metadata that the package gives defaults; the generator is Visual Studio's own.
        Assert.Equal(
            Defaults(page.GetProperty("FullPath").GetString()!).Except(["Generator"]).Order(StringComparer.Ordinal),
            properties.Select(property => property.Attribute("Name")!.Value).Order(StringComparer.Ordinal));
        // Its choices are what builds take.
        foreach (XElement choice in properties.Where(property => property.Name.LocalName == "EnumProperty"))
        {
            Assert.Contains(model.GetProperty(choice.Attribute("Name")!.Value).GetString(), choice.Elements().Select(value => value.Attribute("Name")!.Value));
        }
    }

    [Fact]
    public void IDE_02_RecipeThatInitWritesNamesTheSchemaOfThePackage()
    {
        using var project = new TestProject("App", """<CompressedModel Include="tiny.safetensors" />""");
        Weights.Write(project.PathOf("tiny.safetensors"));
        ZipFile.ExtractToDirectory(Path.Combine(TestRun.Current.Feed, $"Compress.Tasks.{TestRun.Current.Version}.nupkg"), project.PathOf("package"));
        var (exitCode, output) = Tool.Run(
            "dotnet", [project.PathOf("package/tools/net10.0/any/compress.dll"), "init", project.PathOf("tiny.safetensors")], project.Folder, TestRun.Current.Packages);
        Assert.True(exitCode == 0, output);

        // Core.Tests holds the schema against every recipe and every mistake that the reader knows.
        string line = File.ReadLines(project.PathOf("tiny.compress.yaml")).First();
        string named = line["# yaml-language-server: $schema=".Length..];
        Assert.Equal(project.Read("package/schema/compress.schema.json"), project.Read(named));
        using var schema = JsonDocument.Parse(project.Read(named));
        Assert.Equal("http://json-schema.org/draft-07/schema#", schema.RootElement.GetProperty("$schema").GetString());
    }

    private static string Identity(JsonElement item) => item.GetProperty("Identity").GetString()!;

    private static IEnumerable<string> Defaults(string rulePath) =>
        XDocument.Load(Path.Combine(Path.GetDirectoryName(rulePath)!, "..", "Compress.Tasks.props")).Descendants("ItemDefinitionGroup").Elements("CompressedModel")
            .Elements().Select(element => element.Name.LocalName);
}
