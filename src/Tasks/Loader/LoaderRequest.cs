using Compress.Core.Models.Formats;

namespace Compress.Tasks.Loader;

/// <summary>What a loader class is generated from: nothing of the packed bytes, so that a design-time build writes the same text.</summary>
/// <param name="Header">The model's tensors.</param>
/// <param name="Namespace">The namespace of the class; empty for none. Keywords in it are escaped.</param>
/// <param name="ClassName">A name that <see cref="OwnNames.CanNameLoader"/> accepts; a keyword is escaped.</param>
/// <param name="IsPublic">Public or internal.</param>
/// <param name="ResourceName">The embedded resource that holds the packed model; null if it is a file only.</param>
/// <param name="FileName">The packed file's name beside the app, without a folder.</param>
/// <param name="ToolVersion">The package's version. Only major.minor appear in the text: not every update shall recompile every app.</param>
public sealed record LoaderRequest(
    ModelHeader Header, string Namespace, string ClassName, bool IsPublic, string? ResourceName, string FileName, string ToolVersion);
