using Compress.Build.Tests.Infra;
using Compress.Tasks;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Build.Tests.Tasks;

/// <summary>What items become. The process runs in another folder than the project's, as it does in a multithreaded build.</summary>
public sealed class ResolvedItems : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("compress-items-").FullName;
    private readonly FakeEngine engine = new();

    [Theory]
    [InlineData("stories.safetensors", "Stories")]
    [InlineData("tiny-llama_1.1b.safetensors", "TinyLlama1_1b")]
    [InlineData("7b.safetensors", "_7b")]
    [InlineData("model.safetensors.index.json", "Model")]
    [InlineData("Größe.SAFETENSORS", "Größe")]
    public void ClassIsNamedAfterTheFile(string file, string className) =>
        Assert.Equal(className, Single(Item(file)).GetMetadata("ClassName"));

    [Theory]
    [InlineData("App", "App")]
    [InlineData("my-app.2nd part", "my_app._2nd_part")]
    [InlineData("", "")]
    public void NamespaceIsTheRootNamespaceMadeLegal(string root, string expected) =>
        Assert.Equal(expected, Single(Item("a.safetensors"), root).GetMetadata("Namespace"));

    [Fact]
    public void PathsAreRelativeToTheProject()
    {
        Write("compress.yaml");
        var item = Single(Item("a.safetensors"));
        Assert.Equal(Path.Combine(folder, "a.safetensors"), item.ItemSpec);
        Assert.Equal(Path.Combine(folder, "compress.yaml"), item.GetMetadata("Recipe"));
        Assert.Equal(Path.Combine(folder, "obj", "classes", "App.A.g.cs"), item.GetMetadata("ClassFile"));
        Assert.StartsWith(Path.Combine(folder, "obj", "compress"), item.GetMetadata("PackedFile"));
        Assert.Equal("a.packed.safetensors", Path.GetFileName(item.GetMetadata("PackedFile")));
    }

    [Fact]
    public void PathsMayHoldWhatMeansSomethingToMSBuild()
    {
        const string odd = "50%25 @(x) $(y) 'z'.safetensors";
        Assert.Equal(Path.Combine(folder, odd), ResolvedModel.FromItem(Single(Item(odd))).Source);
    }

    [Fact]
    public void SameModelWithAnotherRecipeIsPackedElsewhere()
    {
        Write("a.yaml");
        var items = Resolve("App", Item("m.safetensors"), Item("m.safetensors", ("Recipe", "a.yaml"), ("ClassName", "Other")));
        Assert.Equal(2, items.Select(item => item.GetMetadata("PackedFile")).Distinct().Count());
    }

    [Fact]
    public void MistakesAreWarningsInDesignTimeBuilds()
    {
        var task = Task("App", new TaskItem("missing.safetensors"));
        task.DesignTime = true;
        Assert.True(task.Execute());
        Assert.Equal("CMPR1101", Assert.Single(engine.Warnings).Code);
        Assert.Empty(engine.Errors);
    }

    [Fact]
    public void OtherLanguagesAreRefused()
    {
        var task = Task("App", Item("a.safetensors"));
        task.Language = "F#";
        Assert.False(task.Execute());
        Assert.Equal("CMPR4006", Assert.Single(engine.Errors).Code);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Write(string file) => File.WriteAllText(Path.Combine(folder, file), "");

    private TaskItem Item(string file, params (string Name, string Value)[] metadata)
    {
        Write(file);
        var item = new TaskItem(file.Replace("%", "%25"));
        foreach (var (name, value) in metadata)
        {
            item.SetMetadata(name, value);
        }

        return item;
    }

    private CompressResolveModels Task(string rootNamespace, params ITaskItem[] items) => new()
    {
        BuildEngine = engine,
        Models = items,
        ProjectFile = Path.Combine(folder, "App.csproj"),
        IntermediateDirectory = "obj/compress/",
        ClassDirectory = "obj/classes/",
        RootNamespace = rootNamespace,
        SdkStyle = true,
    };

    private ITaskItem[] Resolve(string rootNamespace, params ITaskItem[] items)
    {
        var task = Task(rootNamespace, items);
        Assert.True(task.Execute(), string.Join('\n', engine.Errors.Select(error => error.Message)));
        return task.Resolved;
    }

    private ITaskItem Single(ITaskItem item, string rootNamespace = "App") => Assert.Single(Resolve(rootNamespace, item));
}
