using Compress.Core.Emit;
using Compress.Core.Models;

namespace Compress.Core.Recovery;

/// <summary>What can be trained of a packed tensor, by its codec. Adding a codec that has such numbers adds one row.</summary>
internal static class TrainableTensors
{
    private static readonly (string Codec, Func<StoredTensor, PackedEntry, int, int, Trainable?> Of)[] Codecs =
    [
        ("higgs", ScaledRows.OfHiggs),
        ("uniform", ScaledRows.OfUniform),
        ("cvxq", ScaledRows.OfCvxq),
        ("aqlm", (stored, entry, rows, columns) => new Codebooks(stored, rows, columns) { Entry = entry }),
        ("crvq", (stored, entry, rows, columns) => new Codebooks(stored, rows, columns) { Entry = entry }),
        ("kmeans", (stored, entry, rows, columns) => new SharedValues(stored, rows, columns) { Entry = entry }),
        ("hashed", (stored, entry, rows, columns) => new HashedValues(stored, rows, columns) { Entry = entry }),
        ("sparse", (stored, entry, rows, columns) => new PrunedValues(stored, rows, columns) { Entry = entry }),
        ("lowrank", (stored, entry, rows, columns) => new Factors(stored, rows, columns) { Entry = entry }),
    ];

    /// <summary>Null if there is nothing.</summary>
    /// <param name="entry">The packed tensor.</param>
    /// <param name="tensor">Its source.</param>
    public static Trainable? Of(PackedEntry entry, SourceTensor tensor)
    {
        if (tensor.Count == 0)
        {
            return null;
        }

        if (entry.Description is null)
        {
            return tensor.Shape.Count == 1 && KeptVector.Holds(tensor.DType) ? new KeptVector(entry.Arrays[0]) { Entry = entry } : null;
        }

        return OfCodec(entry, tensor.Rows, tensor.Columns);
    }

    /// <summary>A matrix that is a part of a tensor, kept or packed by itself.</summary>
    /// <param name="entry">The part.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    public static Trainable OfPart(PackedEntry entry, int rows, int columns)
    {
        if (rows == 0 || columns == 0)
        {
            return new FixedWeights([]) { Entry = entry };
        }

        if (entry.Arrays.FirstOrDefault(array => array.Name == entry.Name) is { } kept)
        {
            return new KeptVector(kept) { Entry = entry };
        }

        return OfCodec(entry, rows, columns) ?? new FixedWeights(new StoredTensor(entry).Weights()) { Entry = entry };
    }

    private static Trainable? OfCodec(PackedEntry entry, int rows, int columns)
    {
        var stored = new StoredTensor(entry);
        return Array.Find(Codecs, row => row.Codec == stored.Codec).Of?.Invoke(stored, entry, rows, columns);
    }
}
