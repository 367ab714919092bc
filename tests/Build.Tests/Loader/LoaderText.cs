using Compress.Tasks.Loader;
using Microsoft.CodeAnalysis;

namespace Compress.Build.Tests.Loader;

public class LoaderText
{
    // No pragma: what it would hide shows here.
    [Theory, InlineData(NullableContextOptions.Enable), InlineData(NullableContextOptions.Disable)]
    public void CompilesWithoutWarningsEvenWithoutItsPragma(NullableContextOptions nullable)
    {
        string text = LoaderEmitter.Emit(GeneratedLoader.Request("a.weight", "layers.0.x", "layers.0.y.z", "layers.1.x", "gap.2", "gap.5", "e.0.1", "e.1.0", "e.1.1"));
        Assert.Contains("#pragma warning disable\n", text);
        Assert.Empty(GeneratedLoader.Diagnostics(text.Replace("#pragma warning disable\n", ""), nullable));
    }
}
