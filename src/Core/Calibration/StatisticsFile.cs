using System.Text.Json;
using System.Text.Json.Serialization;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Calibration;

/// <summary>
/// A file of statistics, as <c>compress calibrate</c> and other programs write it: a safetensors file with the arrays
/// <c>&lt;layer&gt;.inputSecondMoments</c>, <c>&lt;layer&gt;.inputMeans</c>, …, of floats. docs/calibration.md gives the layout.
/// </summary>
internal sealed class StatisticsFile : IDisposable
{
    /// <summary>The key in <c>__metadata__</c>.</summary>
    public const string MetadataKey = "compress.statistics";

    /// <summary>The version of the layout.</summary>
    public const int Version = 1;

    private readonly string path;
    private readonly PackedModel arrays;

    private StatisticsFile(string path, PackedModel arrays, StatisticsHeader header)
    {
        this.path = path;
        this.arrays = arrays;
        Header = header;
    }

    /// <summary>What <see cref="MetadataKey"/> says.</summary>
    public StatisticsHeader Header { get; }

    /// <summary>The names of all arrays.</summary>
    public IReadOnlyCollection<string> Names => arrays.Names;

    /// <summary>Opens a file.</summary>
    /// <exception cref="CompressException">It cannot be read, or is no file of statistics.</exception>
    public static StatisticsFile Open(string path)
    {
        try
        {
            return Open(path, PackedModel.OpenFile(path)) ?? throw Bad(
                path, $"this safetensors file holds no statistics (it has no '{MetadataKey}' metadata); give one that 'compress calibrate' wrote");
        }
        catch (Exception exception) when (exception is SafetensorsException or InvalidDataException)
        {
            throw Bad(path, $"it is no file of statistics: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Bad(path, $"the statistics cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>As <see cref="Open(string)"/>; null if it is something else altogether, or cannot be read.</summary>
    /// <exception cref="CompressException">It is one, but malformed or of another version.</exception>
    public static StatisticsFile? TryOpen(string path)
    {
        try
        {
            return Open(path, PackedModel.OpenFile(path));
        }
        catch (Exception exception) when (exception is SafetensorsException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static StatisticsFile? Open(string path, PackedModel model)
    {
        try
        {
            if (model.Metadata.TryGetValue(MetadataKey, out string? json))
            {
                var header = JsonSerializer.Deserialize<StatisticsHeader>(json, StatisticsHeader.Options) ?? throw new JsonException("it is null");
                return header.Version == Version
                    ? new(path, model, header)
                    : throw Bad(path, $"the statistics are of version {header.Version}; this program reads version {Version}");
            }

            model.Dispose();
            return null;
        }
        catch (JsonException exception)
        {
            model.Dispose();
            throw Bad(path, $"its '{MetadataKey}' cannot be used: {exception.Message}", exception);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The array of a statistic of a layer, or null if there is none.</summary>
    public PackedTensor? Find(string layer, StatisticKinds kind, string kindName)
    {
        string owner = StatisticNames.OfInputs.HasFlag(kind) && Header.Layers.TryGetValue(layer, out var found) && found.Input is { } input ? input : layer;
        return arrays.TryGet(ArrayName(owner, kindName), out var tensor) ? tensor : null;
    }

    /// <summary>The values of an array of that shape.</summary>
    /// <exception cref="CompressException">It has another shape, no floats, or values that no statistic has.</exception>
    public double[] Read(PackedTensor array, StatisticKinds kind, params long[] shape)
    {
        if (!array.Shape.SequenceEqual(shape) || !array.DType.IsFloat())
        {
            throw Bad(array, $"is {array.DType.Name()} {Quote.Shape(array.Shape.ToArray())}, expected floats {Quote.Shape(shape)}");
        }

        double[] values = array.TryGetSpan<double>(out var doubles) ? doubles.ToArray() : Widen(array);
        foreach (double value in values)
        {
            if (!double.IsFinite(value))
            {
                throw Bad(array, "has a value that is not finite");
            }
        }

        if (kind is StatisticKinds.InputSecondMoments or StatisticKinds.OutputCovariance)
        {
            MakeSymmetric(array, values, (int)shape[0]);
        }
        else if (kind != StatisticKinds.InputMeans && Array.FindIndex(values, value => value < 0) is var negative and >= 0)
        {
            throw Bad(array, $"has a negative value, number {negative}: a mean of squares is none");
        }

        return values;
    }

    /// <inheritdoc/>
    public void Dispose() => arrays.Dispose();

    /// <summary>The name of the array of a statistic.</summary>
    public static string ArrayName(string layer, string kind) => $"{layer}.{kind}";

    private static double[] Widen(PackedTensor array)
    {
        float[] values = new float[array.Count];
        array.Dequantize(values);
        return Array.ConvertAll(values, value => (double)value);
    }

    // Other programs may round the halves differently.
    private void MakeSymmetric(PackedTensor array, double[] values, int side)
    {
        const double Tolerance = 1e-4;
        for (int row = 0; row < side; row++)
        {
            double diagonal = values[((long)row * side) + row];
            if (diagonal < 0)
            {
                throw Bad(array, $"has a negative value on its diagonal, at [{row}, {row}]");
            }

            for (int column = 0; column < row; column++)
            {
                ref double low = ref values[((long)row * side) + column], high = ref values[((long)column * side) + row];
                double scale = Math.Sqrt(diagonal * values[((long)column * side) + column]);
                if (Math.Abs(low - high) > Tolerance * scale)
                {
                    throw Bad(array, $"is not symmetric: [{column}, {row}] and [{row}, {column}] differ");
                }

                low = high = (low + high) / 2;
            }
        }
    }

    private CompressException Bad(PackedTensor array, string what) => Bad(path, $"the array {Quote.Name(array.Name)} {what}");

    private static CompressException Bad(string path, string message, Exception? inner = null) => new(Codes.StatisticsMalformed, message, path, inner);
}

/// <summary>What the metadata of a file of statistics say.</summary>
/// <param name="Version">The version of the layout.</param>
/// <param name="Tokens">The tokens that means are over.</param>
internal sealed record StatisticsHeader([property: JsonRequired] int Version, [property: JsonRequired] long Tokens)
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        RespectNullableAnnotations = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The digest of the model, if the file is of one of certain content.</summary>
    public string? Model { get; init; }

    /// <summary>What the tokens follow from, for the reader.</summary>
    public string? Text { get; init; }

    /// <summary>What else is to be said of layers, by the names of their weights.</summary>
    public Dictionary<string, StatisticsLayer> Layers { get; init; } = [];

    /// <summary>The layer that makes logits of the final hidden state, which has no gradients of that.</summary>
    public string? Head { get; init; }

    /// <summary>Matrices that the model multiplies nothing with.</summary>
    public List<string> Tables { get; init; } = [];
}

/// <summary>What is to be said of a layer.</summary>
internal sealed record StatisticsLayer
{
    /// <summary>The layer that has the arrays of this layer's input; null for itself.</summary>
    public string? Input { get; init; }

    /// <summary>Its tokens, where they are others than the file's.</summary>
    public long? Tokens { get; init; }

    /// <summary>Tokens that were left out.</summary>
    public long Skipped { get; init; }

    /// <summary>True if its weights are stored as [in, out].</summary>
    public bool Transposed { get; init; }
}
