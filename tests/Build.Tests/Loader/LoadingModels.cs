extern alias runtime;

using System.Text.Json.Nodes;
using Compress.Build.Tests.Infra;
using Microsoft.CodeAnalysis;
using KeyNotFound = System.Collections.Generic.KeyNotFoundException;

namespace Compress.Build.Tests.Loader;

public sealed class LoadingModels : IDisposable
{
    private static readonly string[] Names = ["a.weight", "b.0", "b.1"];
    private readonly TempFolder folder = new();

    [Fact]
    public void TakesTheEmbeddedResource()
    {
        var type = GeneratedLoader.Load(
            GeneratedLoader.Request(Names) with { ResourceName = "App.stories" }, "",
            new ResourceDescription("App.stories", () => new MemoryStream(SafetensorsFile.Bytes(Names)), isPublic: true));
        using var model = (IDisposable)type.Call("Load");
        Assert.Equal(["a.weight", "b.0", "b.1"], (IEnumerable<string>)GeneratedLoader.Walk(model, "Names")!);
        Assert.Equal(Names, GeneratedLoader.Reach(model).Select(t => t.Tensor.Name));
    }

    [Fact]
    public void TakesTheFileBesideTheAppIfThereIsNoResource()
    {
        string name = $"beside-{Guid.NewGuid():N}.safetensors";
        string path = Path.Combine(AppContext.BaseDirectory, name);
        File.WriteAllBytes(path, SafetensorsFile.Bytes(Names));
        try
        {
            var type = GeneratedLoader.Load(GeneratedLoader.Request(Names) with { ResourceName = "absent", FileName = name });
            ((IDisposable)type.Call("Load")).Dispose();
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void SaysWhereItLookedIfThereIsNeither()
    {
        var type = GeneratedLoader.Load(GeneratedLoader.Request(Names) with { ResourceName = "App.stories", FileName = "gone.safetensors" });
        var exception = Assert.Throws<FileNotFoundException>(() => type.Call("Load"));
        string path = Path.Combine(AppContext.BaseDirectory, "gone.safetensors");
        Assert.Equal($"There is no embedded resource 'App.stories' and no file '{path}'. Build the project again, or load a model by its path.", exception.Message);
        Assert.Equal(path, exception.FileName);
    }

    [Fact]
    public void NamesTheFirstTensorThatIsMissing()
    {
        var type = GeneratedLoader.Load(GeneratedLoader.Request("a", "b", "c", "d"));
        string path = folder.Write("m.safetensors", SafetensorsFile.Bytes(["a", "d"]));
        var exception = Assert.Throws<InvalidDataException>(() => type.Call("Load", path));
        Assert.StartsWith("The file has no tensor 'b', which Stories was generated with", exception.Message, StringComparison.Ordinal);
        File.Delete(path); // not held by a half-loaded model; Windows would refuse
    }

    [Fact]
    public void OpensNoTensorBeforeItIsUsed()
    {
        var damaged = new JsonObject { ["compress"] = """{"version":1,"tensors":{"a.weight":{"codec":"nonesuch","dtype":"F32","shape":[1,2]}}}""" };
        var type = GeneratedLoader.Load(GeneratedLoader.Request(Names));
        using var model = (IDisposable)type.Call("Load", folder.Write("m.safetensors", SafetensorsFile.Bytes(Names, damaged)));
        Assert.NotNull(GeneratedLoader.Walk(model, "B", 1));
        var node = GeneratedLoader.Walk(model, "A");
        Assert.Throws<InvalidDataException>(() => GeneratedLoader.Walk(node, "Weight"));
    }

    [Fact]
    public void GivesAccessByNameToTensorsThatTheClassDoesNotKnow()
    {
        string app = """
            public static class Uses
            {
                public static string Name(App.Stories model) => model["extra"].Name + model.Packed["a.weight"].Name;
                public static string Absent(App.Stories model) => model["absent"].Name;
            }
            """;
        var type = GeneratedLoader.Load(GeneratedLoader.Request(Names), app);
        using var model = (IDisposable)type.Call("Load", folder.Write("m.safetensors", SafetensorsFile.Bytes([.. Names, "extra"])));
        var uses = type.Assembly.GetType("Uses")!;
        Assert.Equal("extraa.weight", uses.Call("Name", model));
        Assert.Throws<KeyNotFound>(() => uses.Call("Absent", model));
    }

    [Fact]
    public void LetsCodeWalkTheTreeWithoutAllocating()
    {
        string app = """
            public static class Uses
            {
                public static long Walk(App.Stories model)
                {
                    long sum = 0;
                    for (int i = 0; i < model.Layers.Count; i++)
                    {
                        sum += model.Layers[i].SelfAttn.QProj.Weight.Count + (model.Layers[i].SelfAttn.QProj.Bias?.Count ?? 0);
                    }
                    for (int i = 0; i < model.Conv.Count; i++) { sum += model.Conv[model.Conv.Numbers[i]].Count; }
                    return sum;
                }
                public static long Allocated(App.Stories model)
                {
                    Walk(model);
                    long before = System.GC.GetAllocatedBytesForCurrentThread();
                    Walk(model);
                    return System.GC.GetAllocatedBytesForCurrentThread() - before;
                }
            }
            """;
        string[] names = ["layers.0.self_attn.q_proj.weight", "layers.1.self_attn.q_proj.bias", "layers.1.self_attn.q_proj.weight", "conv.0", "conv.3"];
        var type = GeneratedLoader.Load(GeneratedLoader.Request(names), app);
        using var model = (IDisposable)type.Call("Load", folder.Write("m.safetensors", SafetensorsFile.Bytes(names)));
        var uses = type.Assembly.GetType("Uses")!;
        Assert.Equal(10L, uses.Call("Walk", model));
        Assert.Equal(0L, uses.Call("Allocated", model));
    }

    [Fact]
    public void GivesNullAndCountsByPlaceWhereLayersDiffer()
    {
        string[] names = ["l.0.bias", "l.0.e.0", "l.0.e.1", "l.1.e.0", "l.2.e.0", "l.2.mlp.w", "l.4.e.0"];
        var type = GeneratedLoader.Load(GeneratedLoader.Request(names));
        using var model = (IDisposable)type.Call("Load", folder.Write("m.safetensors", SafetensorsFile.Bytes(names)));
        Assert.NotNull(GeneratedLoader.Walk(model, "L", 0, "Bias"));
        Assert.Null(GeneratedLoader.Walk(model, "L", 1, "Bias"));
        Assert.Null(GeneratedLoader.Walk(model, "L", 1, "Mlp"));
        Assert.NotNull(GeneratedLoader.Walk(model, "L", 2, "Mlp", "W"));
        Assert.Equal(2, GeneratedLoader.Walk(model, "L", 0, "E", "Count"));
        Assert.Equal(1, GeneratedLoader.Walk(model, "L", 4, "E", "Count"));
        Assert.Equal(4, GeneratedLoader.Walk(model, "L", "Count"));
        var exception = Assert.Throws<ArgumentOutOfRangeException>(() => GeneratedLoader.Walk(model, "L", 3));
        Assert.StartsWith("l.*: the number is one of 0-2, 4.", exception.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => GeneratedLoader.Walk(model, "L", -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => GeneratedLoader.Walk(model, "L", 1, "E", 1));
    }

    public void Dispose() => folder.Dispose();
}
