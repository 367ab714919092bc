namespace Compress.Core.Tests.Infra;

/// <summary>Files of tests/assets, copied beside the tests.</summary>
internal static class Assets
{
    /// <summary>The real model that tests/assets/README.md describes: F32, 47 tensors, in Hugging Face layout.</summary>
    public static string Stories { get; } = Path.Combine(AppContext.BaseDirectory, "assets", "stories260K", "model.safetensors");

    /// <summary>A file of statistics and one of token ids for each model that tests/assets/calibration/golden.py runs.</summary>
    public static string Calibration { get; } = Path.Combine(AppContext.BaseDirectory, "assets", "calibration");

    /// <summary>A folder for each small random model that tests/assets/language-models/golden.py makes.</summary>
    public static string LanguageModels { get; } = Path.Combine(AppContext.BaseDirectory, "assets", "language-models");

    /// <summary>Files that PyTorch wrote by tests/assets/pytorch/golden.py, and the tensors that are in them.</summary>
    public static string PyTorch { get; } = Path.Combine(AppContext.BaseDirectory, "assets", "pytorch");

    /// <summary>Files that tests/assets/gguf/golden.py made, and the tensors that are in them.</summary>
    public static string Gguf { get; } = Path.Combine(AppContext.BaseDirectory, "assets", "gguf");
}
