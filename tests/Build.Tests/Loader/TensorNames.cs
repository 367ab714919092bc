using Compress.Build.Tests.Infra;
using Compress.Tasks.Loader;

namespace Compress.Build.Tests.Loader;

/// <summary>Whatever tensors are called, the class compiles and leads to each of them.</summary>
public sealed class TensorNames : IDisposable
{
    private readonly TempFolder folder = new();

    public static TheoryData<string[]> Hostile => [.. new string[][]
    {
        ["foo_bar", "fooBar", "foo-bar", "FooBar", "foo bar", "FooBar2", "foo_bar3"],
        ["class", "namespace.if", "record", "var.field", "@class", "_", "__", "a._", "async.await.0.yield"],
        ["1x1", "2.3d", "0", "1", "007", "00", "-1", "1.0e5", "99999999999", "2147483647", "2147483648"],
        ["größe", "重み.層.0", "вес", "ﬀ", "ǆ", "é", "e\u0301", "\u212B", "Å", "ß", "ı", "İ"],
        ["😀", "😀.😀", "a😀b", "𝔘nicode", "\u200b", "\u202e.x", "\ufeff"],
        ["", ".", "..", "...", "a..b", "a.b.", ".a.b", "a.b", "..0", "0..0"],
        ["::", "::::", "a::b", "::.::", "*", "*.*", "*.0", "?", "*.1.x"],
        ["Stories", "stories", "stories.stories", "App", "app.stories", "global", "system", "System.IO", "Compress.Runtime.PackedModel"],
        ["load", "Load.x", "dispose", "packed", "names", "item", "this", "model", "Model.y", "equals", "getType", "toString", "getHashCode"],
        ["finalize", "memberwise_clone", "reference_equals", "count", "numbers", "tensor", "tensor.tensor", "tensor.tensor.tensor", "get_item", "set_item"],
        ["a", "a.b", "a.b.c", "a.0", "a.0.0", "a.0.tensor", "a.1.x", "a.count", "a.item.0", "a.item.item", "a.tensor"],
        ["model.node", "model_node.x", "ModelNode", "modelNode.y", "model_node_node.z", "layers.0.x", "layers_item.y", "layersItem"],
        ["x.a_node.b", "x.a.b", "x_a.b", "x_a_node.b", "xANode", "x.a_node.a_node.x", "a_node.a_node"],
        ["*/", "/*", "//", "</summary>", "<c>", "&amp;", "a\nb", "a\r\nb", "\"", "\\", "\\\"", "a\u2028b", "a\u0085b", "{0}", "\0", "\u0001x", "#if", "]]>"],
        ["experts.0.0", "experts.0.1", "experts.1.0", "experts.3.5.w", "experts.3.7", "experts.10.0"],
        [string.Concat(Enumerable.Repeat("deep.", 3000)) + "x", string.Concat(Enumerable.Repeat("0.", 3000)) + "x", new string('w', 20_000), new string('w', 20_000) + "2"],
        [.. Enumerable.Range(0, 300).Select(i => new string('-', i) + "x")],
        [.. Enumerable.Range(0, 1100).Select(i => $"{(char)i}")],
        [],
    }];

    [Theory, MemberData(nameof(Hostile))]
    public void AreAllReached(string[] names) => AssertAllReached(names);

    [Fact]
    public void AreAllReachedWhenDrawnAtRandom()
    {
        string[] words = ["a", "b", "A", "aB", "a_b", "a-b", "0", "1", "2", "7", "00", "", "_", "item", "Item", "count", "tensor", "node", "a_node", "é", "😀", "::", "*", "class", "\n"];
        var random = new Random(20250101);
        for (int round = 0; round < 8; round++)
        {
            var names = new HashSet<string>();
            while (names.Count < 60)
            {
                names.Add(string.Join(".", random.GetItems(words, random.Next(1, 6))));
            }

            AssertAllReached([.. names]);
        }
    }

    [Fact]
    public void MayBeTenThousand() => AssertAllReached(
    [
        .. from layer in Enumerable.Range(0, 16) from expert in Enumerable.Range(0, 200) from w in (string[])["w1", "w2", "w3"] select $"layers.{layer}.experts.{expert}.{w}",
        .. Enumerable.Range(0, 400).Select(i => $"table.{i}"),
        .. Enumerable.Range(0, 400).Select(i => $"blob_{i}"),
    ]);

    [Fact]
    public void WithHalfACharacterStillCompile() =>
        Assert.Empty(GeneratedLoader.Diagnostics(LoaderEmitter.Emit(GeneratedLoader.Request("\ud83d", "\ude00.x", "a\ud83d"))));

    [Theory]
    [InlineData("q_proj", "QProj")]
    [InlineData("layer-norm 1", "LayerNorm1")]
    [InlineData("fooBar", "FooBar")]
    [InlineData("QKV", "QKV")]
    [InlineData("1x1_conv", "_1x1Conv")]
    [InlineData("a_1_2", "A1_2")]
    [InlineData("größe", "Größe")]
    [InlineData("", "Empty")]
    [InlineData("::", "U3AU3A")]
    [InlineData("😀", "U1F600")]
    public void BecomePascalCase(string name, string expected) => Assert.Equal(expected, CSharpText.Identifier(name));

    [Fact]
    public void ThatLookAlikeAreNumberedInOrdinalOrder()
    {
        var tensors = Load("foo-bar", "fooBar", "foo_bar", "fooBar2", "load", "count");
        Assert.Equal(
            [".Count_: count", ".FooBar2: fooBar2", ".FooBar3: fooBar", ".FooBar4: foo_bar", ".FooBar: foo-bar", ".Load_: load"],
            tensors.Select(t => $"{t.Path}: {t.Name}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("class", "namespace.new")]
    [InlineData("record", "")]
    [InlineData("Stories", "Stories")]
    [InlineData("Größe", "System.Global")]
    [InlineData("_1", "_")]
    [InlineData("ToString", "App")]
    public void MayAccompanyAnyClassAndNamespace(string className, string @namespace)
    {
        Assert.True(OwnNames.CanNameLoader(className));
        string[] names = ["class", "record.x", "stories.x", "größe", "to_string", "0.x", "5"];
        var request = GeneratedLoader.Request(names) with { ClassName = className, Namespace = @namespace, IsPublic = false, ResourceName = "r" };
        Assert.False(GeneratedLoader.Load(request).IsPublic);
    }

    public void Dispose() => folder.Dispose();

    private void AssertAllReached(string[] names)
    {
        var reached = Load(names);
        Assert.Equal(names.Order(StringComparer.Ordinal), reached.Select(t => t.Name).Order(StringComparer.Ordinal));
        Assert.All(reached, t => Assert.Equal(names[(int)t.Value], t.Name));
    }

    private List<(string Path, string Name, float Value)> Load(params string[] names)
    {
        var type = GeneratedLoader.Load(GeneratedLoader.Request(names));
        using var model = (IDisposable)type.Call("Load", folder.Write("m.safetensors", SafetensorsFile.Bytes(names)));
        float[] values = new float[2];
        var reached = new List<(string, string, float)>();
        foreach (var (path, tensor) in GeneratedLoader.Reach(model))
        {
            tensor.Dequantize(values);
            reached.Add((path, tensor.Name, values[0]));
        }

        return reached;
    }
}
