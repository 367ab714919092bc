namespace Compress.Cli.Builds;

/// <summary>Tells the MSBuild task which files a packed model was made from: when one of them changes, it asks again.</summary>
/// <param name="Files">The absolute paths of the model's files, and of the recipe if there is one.</param>
internal sealed record InputRecord(IReadOnlyList<string> Files);
