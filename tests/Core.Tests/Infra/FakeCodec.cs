using System.Text.Json.Nodes;
using Compress.Core.Codecs;
using Compress.Core.Models;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Infra;

/// <summary>A codec for tests of what surrounds codecs: stores nothing real.</summary>
internal sealed class FakeCodec(string name = "fake", int version = 7) : ICodec
{
    public string Name => name;

    public string Summary => "for tests";

    public int Version => version;

    public IReadOnlyList<Setting> Settings => [new("bits", "bits per weight", 4, 1, 8)];

    public ILayerEncoder Configure(SettingValues settings, ulong seed) => new Encoder($"bits={settings.Int("bits")}");

    public static ILayerEncoder WithSettings(string settings) => new Encoder(settings);

    /// <summary>An encoded tensor whose parts hold the given bytes.</summary>
    public static EncodedTensor Encoded(params byte[] codes) => new(
        "fake",
        new JsonObject { ["bits"] = 4, ["seed"] = 0 },
        [
            new EncodedPart("codes", DType.U8, [codes.Length], codes),
            new EncodedPart("table", DType.F32, [2], [0, 0, 0, 0, 0, 0, 128, 63], Shared: true),
        ]);

    private sealed class Encoder(string settings) : ILayerEncoder
    {
        public string Settings => settings;

        public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken) => Encoded(1, 2, 3);
    }
}
