namespace Compress.Runtime.Kernels;

/// <summary>A packed matrix whose rows can be unpacked in parts.</summary>
internal interface IRowParts
{
    /// <summary>Unpacks values of a matrix of one row: the same bits as unpacking the row.</summary>
    /// <param name="first">The first column.</param>
    /// <param name="destination">Receives as many values as it has room for.</param>
    void DequantizePart(int first, Span<float> destination);
}

/// <summary>Parts of a row of codes.</summary>
internal static class RowParts
{
    /// <summary>Unpacks columns of a matrix of one row: from where a strip of codes and a group begin to where a strip or the row ends, if that is more than was asked for.</summary>
    public static void Decode(Kernel kernel, CodeMatrix row, int first, Span<float> destination)
    {
        int unit = row.SharesScale || row.GroupSize >= row.Columns ? Codecs.CodePacking.StripCodes : Math.Max(row.GroupSize, Codecs.CodePacking.StripCodes);
        int start = first / unit * unit;
        int end = (int)Math.Min(row.Columns, (first + (long)destination.Length + Codecs.CodePacking.StripCodes - 1) / Codecs.CodePacking.StripCodes * Codecs.CodePacking.StripCodes);
        var part = row.Part(start, end - start);
        if (end - start == destination.Length)
        {
            kernel.DecodeRows(part, 0, 1, destination, end - start);
            return;
        }

        using var whole = new Scratch(end - start);
        kernel.DecodeRows(part, 0, 1, whole.Span, end - start);
        whole.Span.Slice(first - start, destination.Length).CopyTo(destination);
    }
}
