using Compress.Core.Models.Formats;
using Compress.Runtime.Safetensors;
using Compress.Tasks.Loader;
using Microsoft.CodeAnalysis;

namespace Compress.Build.Tests.Loader;

public class LoaderText
{
    private static readonly string[] Varied =
        ["a.weight", "layers.0.x", "layers.0.y.z", "layers.1.x", "gap.2", "gap.5", "e.0.1", "e.1", "e.1.0", "e.1.1", "n", "n.o", "größe", "x\n\"</c>.*/"];

    // No pragma: what it would hide shows here.
    [Theory, InlineData(NullableContextOptions.Enable), InlineData(NullableContextOptions.Disable)]
    public void CompilesWithoutWarningsEvenWithoutItsPragma(NullableContextOptions nullable)
    {
        string text = LoaderEmitter.Emit(GeneratedLoader.Request(Varied));
        Assert.Contains("#pragma warning disable\n", text);
        Assert.Empty(GeneratedLoader.Diagnostics(text.Replace("#pragma warning disable\n", ""), nullable));
    }

    // Reviewed by eye. A wanted change of the text changes the snapshot: copy the test's own output over it.
    [Fact]
    public void OfARealModelIsTheReviewedSnapshot()
    {
        string assets = Path.Combine(AppContext.BaseDirectory, "assets", "stories260K");
        string model = Path.Combine(assets, "model.safetensors");
        var header = ModelFormats.Find(model)!.ReadHeader(model);
        string text = LoaderEmitter.Emit(new(header, "ConsumerApp", "Stories", IsPublic: false, "stories260K.safetensors", "stories260K.safetensors", "1.0.0"));
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, "Stories.received.txt"), text);
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Loader", "Stories.g.cs.txt")), text);
    }

    [Fact]
    public void ChangesOnlyWithTheMinorVersionAndTheHeadersNamesTypesAndShapes()
    {
        var request = GeneratedLoader.Request(Varied) with { ToolVersion = "1.2.3-beta+abc" };
        var moved = request.Header.Tensors.Select(t => t with { File = "/other.safetensors", Offset = t.Offset + 8 });
        var same = request with { ToolVersion = "1.2.4", Header = new ModelHeader([.. moved], ["/other.safetensors"]) };
        Assert.Equal(LoaderEmitter.Emit(request), LoaderEmitter.Emit(same));
        Assert.NotEqual(LoaderEmitter.Emit(request), LoaderEmitter.Emit(request with { ToolVersion = "1.3.0" }));
        Assert.DoesNotContain('\r', LoaderEmitter.Emit(request));
    }

    [Fact]
    public void TellsShapesAndTypesInDocumentation()
    {
        string text = LoaderEmitter.Emit(GeneratedLoader.Request(
            ("l.0.w", DType.F32, [64, 64]), ("l.1.w", DType.F32, [64, 64]), ("l.2.w", DType.F32, [64, 64]), ("l.3.w", DType.BF16, [32, 64]),
            ("l.1.b", DType.F16, [64]), ("l.2.b", DType.F16, [64]),
            ("e.0.0.w", DType.I64, []), ("e.0.1.w", DType.I64, []), ("e.1.0.w", DType.I64, [1]), ("v", DType.F8E4M3, [0, 3])));
        Assert.Contains("/// <summary><c>l.*.w</c>: [64, 64] F32 at 0-2; [32, 64] BF16 at 3.</summary>\n", text);
        Assert.Contains("/// <summary><c>l.*.b</c>: [64] F16. Only at 1-2, else null.</summary>\n", text);
        Assert.Contains("/// <summary><c>e.*.*.w</c>: [] I64 in 2 places; [1] I64 in 1 place.</summary>\n", text);
        Assert.Contains("/// <summary><c>v</c>: [0, 3] F8_E4M3.</summary>\n", text);
    }

    [Fact]
    public void KeepsHostileNamesInsideTheirCommentsAndLiterals()
    {
        string text = LoaderEmitter.Emit(GeneratedLoader.Request("x\n\"</c>*/\u202e&"));
        Assert.Contains("<c>x\\u000A\"&lt;/c&gt;*/\\u202E&amp;</c>", text);
        Assert.Contains("Packed[\"x\\n\\\"</c>*/\\u202E&\"]", text);
    }
}
