using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Compress.Runtime.Codecs;
using Compress.Runtime.Safetensors;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Container;

/// <summary>
/// The digests are SHA-256 over the little-endian floats of the whole tensor, computed by a reader in Python that was written from
/// docs/format.md alone. Stored arrays are filled by formula, so that they need not be kept.
/// </summary>
public class PackedFormatAsDocumented
{
    [Theory]
    [InlineData(3, 172, 1, 16, 64, 0UL, -20, "4723f748e05bd4826cba0aa0d51c6a6c8f275af6378fd1470a447904d7afd209")]
    [InlineData(2, 64, 1, 16, 1024, 7UL, -20, "963022aed4464c2f877271ec48e5506235b430367e05e8104618f6b9034082d5")]
    [InlineData(2, 33, 1, 5, 16, 1UL << 63, -30, "15ee0a7c56cf10dbcfbacfa5b011d5c2fcae146bfb5c1cb2cea0f74c0f571ebd")]
    [InlineData(2, 300, 1, 200, 128, 12345UL, -20, "0cc7feb72a5fd2a080c9b289ce7db9c1d52df5b9e2175ef6f173c273b88c0201")]
    [InlineData(3, 75, 2, 256, 64, 99UL, -20, "527fd9371c257d6c9e0c731f7fcd31b888fbf2fdf53535b7fbb1b2253dc83f46")]
    [InlineData(2, 172, 2, 64, 4096, 1UL, -22, "4b0852747a2006fb01b4aa8351cbba8cb357cc237e71b5c3cfa0908aaa36a682")]
    [InlineData(1, 37, 2, 16, 32, 2UL, 0, "215639812d79afd514d4569421f88424bbef4788ce4135020d53259ebf6add10")]
    [InlineData(2, 1, 1, 2, 16, 3UL, -20, "d0db818e808bdaca5058a3fcb2b57e833fbc1b035dc121a7526067fa28713c5e")]
    [InlineData(3, 172, 2, 1024, 64, 5UL, -20, "3808f5d07fd1b0f61fdc026c3cdada6e327e4321d9119ca56a4825b9439eb033")]
    [InlineData(3, 172, 3, 64, 16, 6UL, -20, "2c823cd210738fd9b739a5b1b8ea61f04b25e1cf32eeef25859a27878de82c40")]
    [InlineData(2, 200, 3, 4096, 64, 7UL, -20, "3e146c5c832332b81c0f0f9ac3cb6f932c179e3a00d1560850ebd753380e4cf4")]
    [InlineData(2, 100, 3, 830, 32, 8UL, -20, "cb2458ac28942f79262401ca9defd46dac651611e527d81e5b6223d416055de6")]
    [InlineData(3, 75, 4, 256, 16, 9UL, -20, "69337c89b23b511bdcb3d39ac0ce661f150e2bb6a3c9351b992d045f20967616")]
    [InlineData(2, 37, 8, 256, 16, 10UL, -20, "91b2ed52426166b3579feba930e3eae532f9459c23d2d228ccabf62d36f62eab")]
    [InlineData(2, 172, 2, 88, 64, 11UL, -20, "1c1b97313386629ae0253f88db194778236574f16b07343c5591cb1fc1a42341")]
    [InlineData(2, 400, 1, 3, 128, 12UL, -20, "12723a72e94310545d155ee62da8473a96e5c697ef8a0e8a44105db8b642aa81")]
    [InlineData(2, 300, 1, 139, 64, 13UL, -20, "e757e77b49f440a841af998af1ea1d65786ea2c49ee0c6b5b7900e73541c1ef0")]
    [InlineData(2, 333, 1, 12, 64, 14UL, -20, "8f565233b08e98cfdedd89ae1a5530a4ec8d0c110b7694309eb3ee8ae262c268")]
    public void GivesTheFloatsOfHiggs(int rows, int columns, int p, int n, int groupSize, ulong seed, int exponent, string digest)
    {
        int scaled = (groupSize + p - 1) / p * p, scales = rows * ((columns + scaled - 1) / scaled);
        string table = $"grid.p{p}n{n}";
        Check(digest, rows, columns,
            $$"""{"codec":"higgs","dtype":"F32","shape":[{{rows}},{{columns}}],"p":{{p}},"n":{{n}},"groupSize":{{groupSize}},"seed":{{seed}},"scaleExponent":{{exponent}},"shared":["{{table}}"]}""",
            ("t::codes", DType.U8, Codes(rows * CodeLayout.Of(n).RowBytes((columns + p - 1) / p))),
            ("t::scales", DType.F16, Words(scales, i => 0x5000 + (i * 7919 % 0x2BFF))),
            ("::" + table, n <= 16 ? DType.BF16 : DType.F16, Words(n * p, i =>
                ((i & 1) << 15) | (n <= 16 ? 0x3F00 + (i * 73 % 0x100) : 0x3800 + (i * 73 % 0x400)))));
    }

    [Theory]
    [InlineData(3, 172, 4, true, "group", 64, -24, "2c3901acc5aa40cd68ccc11b95219ed82334026aa3f89cc67b1201774178af2f")]
    [InlineData(2, 100, 3, false, "group", 16, -24, "bdd73ed730ea0cab4dd602907ce438f34006bbc527de9f939f2c68d8b26befac")]
    [InlineData(3, 45, 5, false, "channel", 0, -20, "b694dbe23e9f088bca19c5ee8229a713a2f60c0ff613345ae1ae656480238e78")]
    [InlineData(2, 70, 8, true, "channel", 0, -20, "46018d1d646cc6d6e49be3f4a2a60a33625cbc5b2e9f907a2cb317501aa6585e")]
    [InlineData(2, 70, 7, false, "tensor", 0, -149, "7e4f09946522a6698ea8f4669c272f7ecb19ef96453b2041836aa31f5ecdf08a")]
    [InlineData(2, 31, 6, true, "tensor", 0, -10, "3cd6d71e819501b5e3083beac7e3c378b61f2a0f7f06b9dcba9937193f29634e")]
    [InlineData(5, 1, 2, false, "group", 32, 100, "566919b0f39e09d1891ac85394d30767804c1c29b4abe1e2bb56be42faf50ca9")]
    public void GivesTheFloatsOfUniform(int rows, int columns, int bits, bool symmetric, string granularity, int groupSize, int exponent, string digest)
    {
        int scales = granularity == "tensor" ? 1 : granularity == "channel" ? rows : rows * ((columns + groupSize - 1) / groupSize);
        string size = granularity == "group" ? $"\"groupSize\":{groupSize}," : "";
        var codes = ("t::codes", DType.U8, Codes(rows * CodePacking.RowBytes(columns, bits)));
        var halves = ("t::scales", DType.F16, Words(scales, i => 0x5000 + (i * 7919 % 0x2BFF)));
        var zeros = ("t::zeros", DType.U8, Codes(CodePacking.RowBytes(scales, bits)));
        string description = $$"""
            {"codec":"uniform","dtype":"F32","shape":[{{rows}},{{columns}}],"bits":{{bits}},"symmetric":{{(symmetric ? "true" : "false")}},
            "granularity":"{{granularity}}",{{size}}"scaleExponent":{{exponent}}}
            """;
        Check(digest, rows, columns, description, symmetric ? [codes, halves] : [codes, halves, zeros]);
    }

    [Theory]
    [InlineData("aqlm", 3, 172, 8, 2, 256, 256, 22, -20, "2ca2e5b13d62a0c39d2d991bd1b88e4b3df9ac257e54c17cb263369fb94673f4")]
    [InlineData("aqlm", 2, 45, 7, 3, 20, 20, 7, -30, "6e1e2a6dcb1ece65f21c49d772b367459b03869383df3e631756258722534d3e")]
    [InlineData("aqlm", 5, 3, 2, 1, 1, 1, 2, 0, "e400df928b1000d0b6eb7b5899a6021bfda87668fa1d29607369757b62562796")]
    [InlineData("crvq", 3, 300, 4, 4, 200, 16, 5, -20, "e0cf332fb530e7fdabba5b3592c6be1c9f8b839a392ca791f8efc46eb2a02924")]
    [InlineData("crvq", 2, 37, 8, 2, 16, 9, 4, -24, "1ebc80b9bc8ceb7fa3886de2a499319107cd4be28b10063d100a157d2e9cf425")]
    [InlineData("crvq", 2, 20, 32, 1, 64, 1, 0, -20, "5bbeed9f41dc76eb8ea98a3b585a3be053bdb6976cf2c0ade86ccf384dfada3c")]
    public void GivesTheFloatsOfAdditiveQuantization(
        string codec, int rows, int columns, int groupSize, int codebooks, int entries, int extendedEntries, int critical, int exponent, string digest)
    {
        int bits = Math.Max(1, BitOperations.Log2((uint)entries - 1) + 1), extendedBits = Math.Max(1, BitOperations.Log2((uint)extendedEntries - 1) + 1);
        string channels = codec == "crvq" ? $"\"criticalGroups\":{critical},\"extendedEntries\":{extendedEntries}," : "";
        (string, DType, byte[])[] arrays =
        [
            ("t::codes", DType.U8, Codes(rows * CodePacking.RowBytes((columns + groupSize - 1) / groupSize, bits))),
            ("t::extended", DType.U8, Codes(rows * (codebooks - 1) * CodePacking.RowBytes(critical, extendedBits))),
            ("t::codebooks", DType.F16, Words((entries + ((codebooks - 1) * extendedEntries)) * groupSize, i => ((i & 1) << 15) | (0x3800 + (i * 73 % 0x400)))),
            ("t::scales", DType.F16, Words(rows, i => 0x5000 + (i * 7919 % 0x2BFF))),
            ("t::critical", DType.U16, Words(codec == "crvq" ? critical * groupSize : 0, i => ((i * 7) + 3) % columns)),
        ];
        Check(digest, rows, columns,
            $$"""{"codec":"{{codec}}","dtype":"F32","shape":[{{rows}},{{columns}}],"groupSize":{{groupSize}},"codebooks":{{codebooks}},"entries":{{entries}},{{channels}}"scaleExponent":{{exponent}}}""",
            [.. arrays.Where(array => array.Item3.Length > 0)]);
    }

    private static void Check(string digest, int rows, int columns, string description, params (string Name, DType Type, byte[] Bytes)[] arrays)
    {
        string text = $$"""{"version":1,"tensors":{"t":{{description}} } }""";
        var header = new List<string> { $$$"""
            "__metadata__":{"compress":{{{JsonSerializer.Serialize(text)}}}}
            """ };
        var data = new List<byte>();
        foreach (var (name, type, bytes) in arrays)
        {
            string entry = SafetensorsBytes.Entry(type, [bytes.Length / type.SizeInBytes()], data.Count, data.Count + bytes.Length);
            header.Add($"\"{name}\":{entry}");
            data.AddRange(bytes);
        }

        using var model = PackedModel.FromBytes([.. SafetensorsBytes.Of($"{{{string.Join(',', header)}}}"), .. data]);
        float[] weights = new float[rows * columns];
        model["t"].Dequantize(weights);
        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(weights))));
    }

    private static byte[] Codes(long count) =>
        [.. Enumerable.Range(0, (int)count).Select(i => (byte)((i * i * 37) + (i * 11) + ((i >> 8) * 5) + 3))];

    private static byte[] Words(int count, Func<int, int> word) =>
        [.. Enumerable.Range(0, count).SelectMany(i => BitConverter.GetBytes((ushort)word(i)))];
}
