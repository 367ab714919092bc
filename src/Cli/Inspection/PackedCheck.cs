using System.Globalization;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Models;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Cli.Inspection;

/// <summary>Checks a packed model tensor by tensor: sizes against the codec's formula, decoded values, and the source if there is one.</summary>
/// <param name="path">The packed file, for messages.</param>
/// <param name="packed">The packed model.</param>
/// <param name="diagnostics">Receives one error for each tensor that is damaged.</param>
internal sealed class PackedCheck(string path, PackedModel packed, DiagnosticBag diagnostics) : IDisposable
{
    private const int FloatsAtOnce = 1 << 16;

    private readonly StoredArrays stored = new(path);

    /// <summary>Checks all tensors, and the checksum of the file's data.</summary>
    /// <returns>How many tensors are sound.</returns>
    public int Alone(CancellationToken cancellationToken)
    {
        int sound = packed.Names.Count(name => IsSound(name, cancellationToken));
        CheckSum();
        return sound;
    }

    /// <summary>Checks all tensors, and measures how far each is from the source.</summary>
    /// <returns>The sound ones, with <c>Σ(w − ŵ)² / Σw²</c> each.</returns>
    public IReadOnlyList<(PackedTensor Tensor, double RelativeMse)> Against(ModelFile source, CancellationToken cancellationToken)
    {
        var sourceNames = source.Header.Tensors.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        foreach (string missing in sourceNames.Except(packed.Names, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            Bad($"tensor '{missing}' of the source is not in the packed model");
        }

        var measured = new List<(PackedTensor, double)>();
        foreach (string name in packed.Names)
        {
            if (!IsSound(name, cancellationToken))
            {
                continue;
            }

            if (!sourceNames.Contains(name))
            {
                Bad($"tensor '{name}' is not in the source");
            }
            else if (Measure(packed[name], source[name], cancellationToken) is { } error)
            {
                measured.Add((packed[name], error));
            }
        }

        CheckSum();
        return measured;
    }

    public void Dispose() => stored.Dispose();

    // Says nothing where something more exact has been said.
    private void CheckSum()
    {
        if (!diagnostics.HasErrors && packed.Metadata.TryGetValue(PackedContainer.ChecksumKey, out string? expected) && stored.Checksum() != expected)
        {
            Bad("the checksum in its header does not match its data; build it again");
        }
    }

    private bool IsSound(string name, CancellationToken cancellationToken)
    {
        try
        {
            var tensor = packed[name];
            if (stored.Damage(name) is { } damage)
            {
                Bad($"packed tensor '{name}': {damage}");
                return false;
            }

            return Decodes(tensor, cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            Bad(exception.Message);
            return false;
        }
    }

    private bool Decodes(PackedTensor tensor, CancellationToken cancellationToken)
    {
        float[] block = new float[BlockLength(tensor)];
        for (int row = 0; tensor.Count > 0 && row < tensor.Rows; row += RowsAtOnce(tensor))
        {
            cancellationToken.ThrowIfCancellationRequested();
            int rows = Math.Min(RowsAtOnce(tensor), tensor.Rows - row);
            var values = block.AsSpan(0, rows * tensor.Columns);
            tensor.DequantizeRows(row, rows, values);
            // A kept tensor may hold what the source held; a codec is never given anything that is not finite.
            int index = tensor.Codec == PackedFile.Keep ? -1 : FirstNonFinite(values);
            if (index >= 0)
            {
                Bad(string.Create(CultureInfo.InvariantCulture,
                    $"tensor '{tensor.Name}' decodes to {values[index]} at index {((long)row * tensor.Columns) + index}"));
                return false;
            }
        }

        return true;
    }

    private double? Measure(PackedTensor tensor, SourceTensor source, CancellationToken cancellationToken)
    {
        if (tensor.DType != source.DType || !tensor.Shape.SequenceEqual([.. source.Shape]))
        {
            Bad($"tensor '{tensor.Name}' is {tensor.DType.Name()} {Console.Quantity.Shape(tensor.Shape.ToArray())}, "
                + $"the source has {source.DType.Name()} {Console.Quantity.Shape(source.Shape)}");
            return null;
        }

        float[] decoded = new float[BlockLength(tensor)];
        float[] original = new float[BlockLength(tensor)];
        double energy = 0, error = 0;
        for (int row = 0; tensor.Count > 0 && row < tensor.Rows; row += RowsAtOnce(tensor))
        {
            cancellationToken.ThrowIfCancellationRequested();
            int rows = Math.Min(RowsAtOnce(tensor), tensor.Rows - row);
            tensor.DequantizeRows(row, rows, decoded);
            source.ReadRows(row, rows, original);
            for (int i = 0; i < rows * tensor.Columns; i++)
            {
                // Kept NaNs and infinities equal themselves.
                double difference = decoded[i].Equals(original[i]) ? 0 : (double)decoded[i] - original[i];
                error += difference * difference;
                energy += float.IsFinite(original[i]) ? (double)original[i] * original[i] : 0;
            }
        }

        double relative = error == 0 ? 0 : error / energy;
        if (double.IsFinite(relative))
        {
            return relative;
        }

        Bad($"tensor '{tensor.Name}' is not an approximation of the source: its relative error is {Console.Quantity.Error(relative)}");
        return null;
    }

    private static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private static int RowsAtOnce(PackedTensor tensor) => Math.Max(1, FloatsAtOnce / Math.Max(1, tensor.Columns));

    private static int BlockLength(PackedTensor tensor) => Math.Min(RowsAtOnce(tensor), tensor.Rows) * tensor.Columns;

    private void Bad(string what) => diagnostics.Add(new Diagnostic(Codes.PackedMalformed, Severity.Error, what, path));
}
