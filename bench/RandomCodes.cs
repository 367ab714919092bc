using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Compress.Core.Codecs;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>Matrices of CRVQ with drawn codes and codebooks: a product takes as long as that of an encoded one, which takes minutes to make.</summary>
internal static class RandomCodes
{
    private const int GroupSize = 8, Entries = 256, Codebooks = 4;

    /// <summary>A matrix as the method makes it by default.</summary>
    public static PackedTensor Crvq(int rows, int columns)
    {
        int groups = columns / GroupSize, critical = groups / 50; // 2 %
        var random = new Random(1);
        byte[] codes = new byte[rows * groups], extended = new byte[rows * (Codebooks - 1) * critical];
        random.NextBytes(codes);
        random.NextBytes(extended);
        Half[] vectors = Array.ConvertAll(RandomWeights.Gaussian(Codebooks * Entries * GroupSize), value => (Half)value);
        ushort[] order = [.. Enumerable.Range(0, columns).Select(column => (ushort)column)];
        random.Shuffle(order);
        Half[] scales = new Half[rows];
        Array.Fill(scales, (Half)1);
        var parameters = new JsonObject
        {
            ["groupSize"] = GroupSize, ["codebooks"] = Codebooks, ["entries"] = Entries, ["criticalGroups"] = critical, ["extendedEntries"] = Entries, ["scaleExponent"] = 0,
        };
        EncodedPart[] parts =
        [
            new("codes", DType.U8, [rows, groups], codes),
            new("extended", DType.U8, [rows, Codebooks - 1, critical], extended),
            new("codebooks", DType.F16, [Codebooks * Entries, GroupSize], MemoryMarshal.AsBytes<Half>(vectors).ToArray()),
            new("scales", DType.F16, [rows], MemoryMarshal.AsBytes<Half>(scales).ToArray()),
            new("critical", DType.U16, [critical * GroupSize], MemoryMarshal.AsBytes(order.AsSpan(0, critical * GroupSize)).ToArray()),
        ];
        return DecodedTensor.Open(new("crvq", parameters, parts), DType.F32, [rows, columns]);
    }
}
