using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Calibration;

/// <summary>Statistics that are read from a file.</summary>
/// <param name="source">The model.</param>
/// <param name="path">The absolute path of the file.</param>
/// <param name="recipeFile">The recipe that names it.</param>
/// <param name="position">Where.</param>
/// <param name="diagnostics">Receives what is wrong.</param>
/// <exception cref="CompressException">It cannot be read, or is no file of statistics.</exception>
internal sealed class FileStatistics(ModelFile source, string path, string? recipeFile, Position position, DiagnosticBag diagnostics) : IStatisticsSource
{
    private const int LayersNamed = 3;

    private readonly StatisticsFile file = StatisticsFile.Open(path);
    private readonly ConcurrentDictionary<string, string> digests = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public IReadOnlyList<string> Files { get; } = [path];

    /// <inheritdoc/>
    public void Check(IReadOnlyCollection<StatisticNeed> needs)
    {
        if (file.Header.Model is { } model && model != LanguageModelDigest.Of(source))
        {
            throw Error(
                Codes.StatisticsOfAnotherModel,
                $"{path} was made of another model than {source.Header.Files[0]} (or the model changed since); run 'compress calibrate' on this one");
        }

        var matrices = needs.Where(need => !IsTable(need.Tensor)).ToList();
        if (matrices.Count > 0 && matrices.TrueForAll(need => StatisticNames.All.All(row => file.Find(need.Tensor, row.Kind, row.Name) is null)))
        {
            throw Error(
                Codes.StatisticsOfAnotherModel,
                $"{path} has no statistics of any layer of this model that needs them, such as {Quote.Name(matrices[0].Tensor)}; is it another model's?");
        }

        foreach (var (kind, name) in StatisticNames.All)
        {
            string[] lacking = [.. matrices.Where(need => Kinds(need).HasFlag(kind) && file.Find(need.Tensor, kind, name) is null).Select(need => Quote.Name(need.Tensor))];
            if (lacking.Length > 0)
            {
                string more = lacking.Length > LayersNamed ? string.Create(CultureInfo.InvariantCulture, $" and {lacking.Length - LayersNamed} more") : "";
                throw Error(
                    Codes.StatisticsLacking,
                    $"{path} has no '{name}' of {string.Join(", ", lacking.Take(LayersNamed))}{more}, which the method needs; "
                    + "write them with 'compress calibrate' or the program that made the file, or give these layers another method");
            }
        }

        foreach (var need in matrices)
        {
            foreach (var (kind, name) in StatisticNames.Of(Kinds(need)))
            {
                var (array, shape) = (file.Find(need.Tensor, kind, name)!, Shape(need.Tensor, kind));
                if (!array.Shape.SequenceEqual(shape))
                {
                    throw Error(
                        Codes.StatisticsOfAnotherModel,
                        $"{path}: {Quote.Name(array.Name)} is {Quote.Shape(array.Shape.ToArray())}, expected {Quote.Shape(shape)} for the layer {Quote.Name(need.Tensor)} "
                        + $"{Quote.Shape(source[need.Tensor].Shape)}; is the file another model's?");
                }
            }
        }
    }

    /// <inheritdoc/>
    public string Describe(StatisticNeed need) => IsTable(need.Tensor)
        ? ""
        : string.Join(' ', StatisticNames.Of(Kinds(need)).Select(row => $"{row.Name}={Digest(file.Find(need.Tensor, row.Kind, row.Name)!)}")
            .Append(string.Create(CultureInfo.InvariantCulture, $"tokens={Tokens(need.Tensor)}"))
            .Concat(IsTransposed(need.Tensor) ? ["transposed"] : []));

    /// <inheritdoc/>
    public void Prepare(IReadOnlyCollection<StatisticNeed> needs, IProgress<CalibrationProgress>? progress, CancellationToken cancellationToken)
    {
        // All of it is there.
    }

    /// <inheritdoc/>
    public LayerStatistics? Read(StatisticNeed need, CancellationToken cancellationToken) => IsTable(need.Tensor)
        ? null
        : new()
        {
            Tokens = Tokens(need.Tensor),
            Transposed = IsTransposed(need.Tensor),
            IsOwnHead = IsOwnHead(need.Tensor),
            InputSecondMoments = Values(need, StatisticKinds.InputSecondMoments),
            InputMeans = Values(need, StatisticKinds.InputMeans),
            OutputCovariance = Values(need, StatisticKinds.OutputCovariance),
            SquaredGradients = Values(need, StatisticKinds.SquaredGradients),
            HiddenGradients = Values(need, StatisticKinds.HiddenGradients),
            OutputGradients = Values(need, StatisticKinds.OutputGradients),
        };

    /// <inheritdoc/>
    public void Report()
    {
        var some = file.Header.Layers.Where(layer => layer.Value.Skipped > 0).OrderBy(layer => layer.Key, StringComparer.Ordinal).ToList();
        if (some.Count > 0)
        {
            var (name, layer) = some.MaxBy(pair => pair.Value.Skipped);
            diagnostics.Add(Error(Codes.CalibrationNonFinite, string.Create(CultureInfo.InvariantCulture,
                $"{path}: in the inputs of {some.Count} layers, tokens had values that are not finite, and were left out; most in {Quote.Name(name)}: {layer.Skipped}"))
                .Diagnostic with { Severity = Severity.Warning });
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    // Vectors are no layers. What is neither a layer nor a table of the file lacks its statistics.
    private bool IsTable(string tensor) => source[tensor].Shape.Count < 2 || file.Header.Tables.Contains(tensor);

    // What the layer can have of what is needed.
    private StatisticKinds Kinds(StatisticNeed need) => need.Tensor == file.Header.Head ? need.Kinds & ~StatisticKinds.HiddenGradients : need.Kinds;

    // A head that is the embedding too leaves no table with a row for each token.
    private bool IsOwnHead(string tensor) =>
        tensor == file.Header.Head && file.Header.Tables.Any(table => source.Tensors.Any(other => other.Name == table && other.Shape[0] == source[tensor].Shape[0]));

    private bool IsTransposed(string tensor) => file.Header.Layers.TryGetValue(tensor, out var layer) && layer.Transposed;

    private long Tokens(string tensor) => file.Header.Layers.TryGetValue(tensor, out var layer) && layer.Tokens is { } own ? own : file.Header.Tokens;

    private long[] Shape(string tensor, StatisticKinds kind)
    {
        var weights = source[tensor];
        return StatisticNames.Shape(kind, weights.Rows, weights.Columns, IsTransposed(tensor));
    }

    private double[]? Values(StatisticNeed need, StatisticKinds kind) =>
        Kinds(need).HasFlag(kind) ? file.Read(file.Find(need.Tensor, kind, StatisticNames.Text(kind, ""))!, kind, Shape(need.Tensor, kind)) : null;

    private string Digest(PackedTensor array) => digests.GetOrAdd(
        array.Name,
        _ => array.TryGetSpan<byte>(out var bytes)
            ? Convert.ToHexStringLower(SHA256.HashData(bytes))
            : throw Error(Codes.StatisticsMalformed, $"{path}: {Quote.Name(array.Name)} is larger than an array can be"));

    private CompressException Error(string code, string message) =>
        new(new Diagnostic(code, Severity.Error, message, recipeFile, position.Line, position.Column));
}
