using Compress.Core.Codecs.Crvq;
using Compress.Core.Codecs.Cvxq;
using Compress.Core.Codecs.Hashed;
using Compress.Core.Codecs.Higgs;
using Compress.Core.Codecs.KMeans;
using Compress.Core.Codecs.Uniform;

namespace Compress.Core.Codecs;

/// <summary>The methods that recipes may name. Adding a codec adds one row.</summary>
public static class CodecTable
{
    /// <summary>All methods, the default first.</summary>
    public static readonly IReadOnlyList<ICodec> All = [new HiggsCodec(), new UniformCodec(), new CvxqCodec(), new AqlmCodec(), new CrvqCodec(), new KMeansCodec(), new HashedCodec()];

    /// <summary>The method of that name, or null.</summary>
    public static ICodec? Find(string name) => All.FirstOrDefault(codec => codec.Name == name);
}
