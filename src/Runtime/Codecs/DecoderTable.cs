using Compress.Runtime.Codecs.Crvq;
using Compress.Runtime.Codecs.Cvxq;
using Compress.Runtime.Codecs.Hashed;
using Compress.Runtime.Codecs.Higgs;
using Compress.Runtime.Codecs.Keep;
using Compress.Runtime.Codecs.KMeans;
using Compress.Runtime.Codecs.LowRank;
using Compress.Runtime.Codecs.Sparse;
using Compress.Runtime.Codecs.Uniform;

namespace Compress.Runtime.Codecs;

/// <summary>The codecs that this version reads. Adding a codec adds one row.</summary>
internal static class DecoderTable
{
    private static readonly (string Codec, Func<PackedParts, PackedTensor> Open)[] Rows =
    [
        ("keep", parts => new KeepTensor(parts)),
        ("uniform", parts => new UniformTensor(parts)),
        ("higgs", parts => new HiggsTensor(parts)),
        ("cvxq", CvxqTensor.Open),
        ("aqlm", parts => new CrvqTensor(parts, "aqlm")),
        ("crvq", parts => new CrvqTensor(parts, "crvq")),
        ("hashed", parts => new HashedTensor(parts)),
        ("kmeans", parts => new KMeansTensor(parts)),
        ("sparse", parts => new SparseTensor(parts)),
        ("lowrank", parts => new LowRankTensor(parts)),
    ];

    /// <summary>Opens a packed tensor by its codec's name.</summary>
    /// <exception cref="InvalidDataException">The codec is unknown, or the parts do not fit it.</exception>
    public static PackedTensor Open(string codec, PackedParts parts)
    {
        foreach (var row in Rows)
        {
            if (row.Codec == codec)
            {
                return row.Open(parts);
            }
        }

        throw parts.Bad($"codec '{codec}' is not known to this version of Compress.Runtime "
            + $"({string.Join(", ", Rows.Select(row => row.Codec))})");
    }
}
