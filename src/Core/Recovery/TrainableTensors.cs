using Compress.Core.Emit;
using Compress.Core.Models;

namespace Compress.Core.Recovery;

/// <summary>What can be trained of a packed tensor, by its codec. Adding a codec that has such numbers adds one row.</summary>
internal static class TrainableTensors
{
    private static readonly (string Codec, Func<StoredTensor, PackedEntry, SourceTensor, Trainable> Of)[] Rows =
    [
        ("higgs", (stored, entry, tensor) => ScaledRows.OfHiggs(stored, entry, tensor.Rows, tensor.Columns)),
        ("uniform", (stored, entry, tensor) => ScaledRows.OfUniform(stored, entry, tensor.Rows, tensor.Columns)),
        ("aqlm", (stored, entry, tensor) => new Codebooks(stored, tensor.Rows, tensor.Columns) { Entry = entry }),
        ("crvq", (stored, entry, tensor) => new Codebooks(stored, tensor.Rows, tensor.Columns) { Entry = entry }),
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

        var stored = new StoredTensor(entry);
        return Array.Find(Rows, row => row.Codec == stored.Codec).Of?.Invoke(stored, entry, tensor);
    }
}
