namespace Compress.Cli.Tests.Infra;

/// <summary>Files of tests/assets, copied beside the tests.</summary>
internal static class Assets
{
    /// <summary>The real model that tests/assets/README.md describes: F32, 47 tensors, 36 of them matrices.</summary>
    public static string Stories { get; } = Path.Combine(AppContext.BaseDirectory, "assets", "stories260K", "model.safetensors");
}
