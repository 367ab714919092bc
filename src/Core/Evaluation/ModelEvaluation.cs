using System.Security.Cryptography;
using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Runtime;

namespace Compress.Core.Evaluation;

/// <summary>What was measured.</summary>
/// <param name="Settings">On what.</param>
/// <param name="Window">Tokens of a window.</param>
/// <param name="Bos">The token that each window begins with, or null.</param>
/// <param name="Source">Losses of the source model.</param>
/// <param name="Packed">Losses of the packed model, computed from its packed weights; null if there is none.</param>
/// <param name="Kl">The mean divergence of the packed model's predictions from the source's, in nats per token; null if not asked for.</param>
public sealed record EvaluationResult(EvaluationSettings Settings, int Window, int? Bos, LossSums Source, LossSums? Packed, double? Kl);

/// <summary>Measures a source model and packed models made of it on texts. Results are cached.</summary>
/// <param name="source">The source model.</param>
/// <param name="cache">Where results are kept, or null.</param>
public sealed class ModelEvaluation(ModelFile source, EvaluationCache? cache) : IDisposable
{
    private readonly LanguageModel model = LanguageModel.Open(source);
    private string? digest;

    /// <summary>The absolute path of the folder that has the model, its configuration and its tokenizer.</summary>
    public string Folder { get; } = Path.GetDirectoryName(source.Header.Files[0])!;

    /// <summary>Reads a text for this model.</summary>
    /// <exception cref="CompressException">It cannot be read, or does not fit the model.</exception>
    public TextTokens Read(EvaluationSettings settings) => TextTokens.Read(settings, Folder, model.MaxPositions, model.VocabularySize);

    /// <summary>Measures.</summary>
    /// <param name="settings">On what.</param>
    /// <param name="packedPath">The packed model, or null for the source alone.</param>
    /// <param name="withDivergence">True to compare predictions as well, which runs the source even if its own losses are known.</param>
    /// <param name="progress">Told after each window.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="CompressException">The text or the packed model does not fit the model.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public EvaluationResult Run(
        EvaluationSettings settings, string? packedPath, bool withDivergence, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        var text = Read(settings);
        if (packedPath is null)
        {
            return new(settings, text.Window, text.Bos, Source(), null, null);
        }

        using var file = PackedModel.OpenFile(packedPath);
        var packed = LanguageModel.Open(source, file);
        string packedDigest = Sha256(packedPath);
        if (withDivergence)
        {
            var compared = Get("compared", [SourceDigest, packedDigest, text.Digest], () => Evaluator.Compare(model, packed, text.Windows, progress, cancellationToken));
            return new(settings, text.Window, text.Bos, compared.Source, compared.Packed, compared.Kl);
        }

        return new(settings, text.Window, text.Bos, Source(),
            Get("packed", [SourceDigest, packedDigest, text.Digest], () => Evaluator.Measure(packed, text.Windows, progress, cancellationToken)), null);

        LossSums Source() => Get("source", [SourceDigest, text.Digest], () => Evaluator.Measure(model, text.Windows, progress, cancellationToken));
    }

    /// <summary>
    /// The layers of a packed model that change predictions most, each alone in its packed form while the others are as in the source, on a few
    /// windows of the text.
    /// </summary>
    /// <param name="settings">On what.</param>
    /// <param name="packedPath">The packed model.</param>
    /// <param name="candidates">The layers to try.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The layers and the divergence that each causes, in nats per token, the greatest first.</returns>
    public IReadOnlyList<(string Name, double Kl)> Costs(
        EvaluationSettings settings, string packedPath, IEnumerable<string> candidates, CancellationToken cancellationToken)
    {
        const int MaxTokens = 512; // enough to rank layers whose costs differ
        int tokens = 0;
        var windows = Read(settings).Windows.TakeWhile(window => (tokens += window.Tokens.Length) <= MaxTokens || tokens == window.Tokens.Length).ToList();
        using var file = PackedModel.OpenFile(packedPath);
        var mixed = LanguageModel.Open(source);
        var costs = new List<(string Name, double Kl)>();
        foreach (string name in candidates.Where(mixed.TensorNames.Contains))
        {
            mixed.Use(name, file[name]);
            costs.Add((name, Evaluator.Compare(model, mixed, windows, null, cancellationToken).Kl));
            mixed.Use(name, null);
        }

        return [.. costs.OrderByDescending(cost => cost.Kl)];
    }

    /// <inheritdoc/>
    public void Dispose() => model.Dispose();

    private string SourceDigest => digest ??= LanguageModelDigest.Of(source);

    private static string Sha256(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private T Get<T>(string kind, IEnumerable<string> digests, Func<T> compute)
        where T : struct => cache is null ? compute() : cache.Get(kind, digests, compute);
}
