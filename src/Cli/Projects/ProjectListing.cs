using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Explaining;
using Compress.Cli.Commands;

namespace Compress.Cli.Projects;

/// <summary>What <c>compress list</c> shows of a project. Serialized as JSON.</summary>
/// <param name="Project">The absolute path of the project.</param>
/// <param name="Models">Its models.</param>
internal sealed record ProjectListing(string Project, IReadOnlyList<ListedModel> Models)
{
    /// <summary>Finds out what the next build of a project would do.</summary>
    public static ProjectListing Of(ProjectModels project, DiagnosticBag diagnostics, CancellationToken cancellationToken)
    {
        var cache = CommonOptions.OpenCache(
            project.CacheDirectory ?? Core.Caching.CacheDirectory.Default, project.CacheMode, project.CacheSalt, diagnostics);
        return new(project.Project, [.. project.Models.Select(model => ListedModel.Of(model, cache, project.Force, diagnostics, cancellationToken))]);
    }
}

/// <summary>One model in a <see cref="ProjectListing"/>. All paths are absolute.</summary>
/// <param name="Model">The source model.</param>
/// <param name="Recipe">The recipe, or null for the built-in defaults.</param>
/// <param name="ClassName">The full name of the generated class.</param>
/// <param name="Storage"><c>Auto</c>, <c>Embed</c> or <c>File</c>.</param>
/// <param name="PackedBytes">The size of the packed file that is there; null if there is none.</param>
/// <param name="SourceBytes">Bytes of all tensors in the source; null if the model or its recipe has an error.</param>
/// <param name="State">What the next build would do.</param>
/// <param name="Encode">Layers that it would encode.</param>
/// <param name="Reuse">Layers that it would take from the cache.</param>
/// <param name="Keep">Tensors that need no codec.</param>
/// <param name="Layers">All tensors; none if there was an error.</param>
internal sealed record ListedModel(
    string Model,
    string? Recipe,
    string ClassName,
    string Storage,
    long? PackedBytes,
    long? SourceBytes,
    ModelState State,
    int Encode,
    int Reuse,
    int Keep,
    IReadOnlyList<LayerPreview> Layers)
{
    /// <summary>Finds out what the next build would do with a model.</summary>
    public static ListedModel Of(
        ProjectModel model, Core.Caching.LayerCache? cache, bool force, DiagnosticBag diagnostics, CancellationToken cancellationToken)
    {
        var request = new CompressionRequest(model.Source, model.Recipe, model.Packed) { Cache = cache, Force = force };
        var preview = Preview.Make(request, LastRun.Read(model.Report), diagnostics, cancellationToken);
        var layers = preview?.Layers ?? [];
        int encode = layers.Count(layer => layer.Action == LayerAction.Encode);
        var packed = new FileInfo(model.Packed);
        var state = preview is null ? ModelState.Error : preview.UpToDate ? ModelState.UpToDate : ModelState.Stale;
        return new(
            model.Source,
            model.Recipe,
            model.ClassName,
            model.Storage,
            packed.Exists ? packed.Length : null,
            preview?.SourceBytes,
            state,
            state == ModelState.UpToDate ? 0 : encode,
            layers.Count(layer => layer.Action == LayerAction.Reuse),
            layers.Count(layer => layer.Action == LayerAction.Keep),
            layers);
    }
}

/// <summary>What the next build would do with a model.</summary>
internal enum ModelState
{
    /// <summary>Nothing.</summary>
    UpToDate,

    /// <summary>Pack it.</summary>
    Stale,

    /// <summary>Fail.</summary>
    Error,
}
