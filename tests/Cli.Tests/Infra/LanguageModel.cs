namespace Compress.Cli.Tests.Infra;

/// <summary>A real language model, and a text that it was not trained on.</summary>
internal static class LanguageModel
{
    /// <summary>stories260K's folder.</summary>
    public static string Folder { get; } = Path.GetDirectoryName(Assets.Stories)!;

    /// <summary>Two paragraphs of the validation split of TinyStories (CDLA-Sharing-1.0).</summary>
    public const string Text =
        "Spot saw the shiny car and said, \"Wow, Kitty, your car is so bright and clean!\"\n\nOnce upon a time, in a big forest, there lived a rhinoceros named Roxy.\n";

    /// <summary>What makes a measurement of it quick.</summary>
    public static string[] On { get; } = ["--text", "held-out.txt", "--unit", "paragraph", "--window", "65"];

    /// <summary>Copies some of the model's files into a folder of the workspace.</summary>
    public static string CopyTo(Workspace workspace, params string[] files)
    {
        Directory.CreateDirectory(workspace["model"]);
        foreach (string file in files)
        {
            File.Copy(Path.Combine(Folder, file), workspace["model", file]);
        }

        return workspace["model"];
    }
}
