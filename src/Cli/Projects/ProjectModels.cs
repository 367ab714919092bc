using Compress.Core.Caching;

namespace Compress.Cli.Projects;

/// <summary>The <c>CompressedModel</c> items of a project, with all that a build would give to the engine.</summary>
/// <param name="Project">The absolute path of the project.</param>
/// <param name="Models">Its models; none if it has none.</param>
/// <param name="CacheDirectory">The absolute path of the layer cache, or null for the default one.</param>
/// <param name="CacheMode">What may be done with it.</param>
/// <param name="CacheSalt">Keeps its entries apart from those of other salts.</param>
/// <param name="Force">True if every build encodes every layer anew.</param>
internal sealed record ProjectModels(
    string Project, IReadOnlyList<ProjectModel> Models, string? CacheDirectory, CacheMode CacheMode, string CacheSalt, bool Force);

/// <summary>One model of a project. All paths are absolute.</summary>
/// <param name="Source">The source model.</param>
/// <param name="Recipe">The recipe, or null for the built-in defaults.</param>
/// <param name="ClassName">The full name of the generated class.</param>
/// <param name="Storage"><c>Auto</c>, <c>Embed</c> or <c>File</c>.</param>
/// <param name="Packed">The packed model.</param>
/// <param name="Report">The report of the last run.</param>
internal sealed record ProjectModel(string Source, string? Recipe, string ClassName, string Storage, string Packed, string Report);
