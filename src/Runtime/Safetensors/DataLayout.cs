using System;
using System.Collections.Generic;

namespace Compress.Runtime.Safetensors;

/// <summary>The format's rule for the data: every byte after the header belongs to exactly one tensor.</summary>
internal static class DataLayout
{
    /// <summary>Puts the tensors in the order of their data and checks that it has no overlap and no hole.</summary>
    /// <exception cref="SafetensorsException">It has.</exception>
    public static void Check(List<TensorEntry> entries, long dataOffset, long fileLength)
    {
        Sort(entries);
        long end = dataOffset;
        TensorEntry? last = null;
        foreach (var entry in entries)
        {
            if (entry.Offset < end)
            {
                throw new SafetensorsException(
                    $"tensor {Quote.Name(entry.Name)} begins at byte {entry.Offset - dataOffset} of the data, inside {Describe(last)}, "
                    + $"which ends at {end - dataOffset}: tensors must not overlap");
            }

            if (entry.Offset > end)
            {
                throw new SafetensorsException(
                    $"tensor {Quote.Name(entry.Name)} begins at byte {entry.Offset - dataOffset} of the data, but {Describe(last)} ends at "
                    + $"{end - dataOffset}: the {entry.Offset - end} bytes between belong to no tensor, which the format forbids");
            }

            if (entry.ByteLength > 0)
            {
                end += entry.ByteLength;
                last = entry;
            }
        }

        if (end != fileLength)
        {
            throw new SafetensorsException($"{fileLength - end} bytes follow the last tensor, which ends at byte {end} of the file; expected none");
        }
    }

    private static string Describe(TensorEntry? entry) => entry is null ? "the header" : "tensor " + Quote.Name(entry.Name);

    private static void Sort(List<TensorEntry> entries)
    {
        for (int i = 1; i < entries.Count; i++)
        {
            if (Compare(entries[i - 1], entries[i]) > 0)
            {
                entries.Sort(Compare);
                return;
            }
        }
    }

    // An empty tensor stands before the one that begins where it lies. The name makes the order of several a matter of the file alone.
    private static int Compare(TensorEntry a, TensorEntry b)
    {
        int order = a.Offset.CompareTo(b.Offset);
        if (order == 0)
        {
            order = a.ByteLength.CompareTo(b.ByteLength);
        }

        return order != 0 ? order : string.CompareOrdinal(a.Name, b.Name);
    }
}
