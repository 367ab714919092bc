using System.Globalization;
using System.Text.Json.Nodes;
using Compress.Core.Codecs;
using Compress.Core.Models;

namespace Compress.Core.Tests.Infra;

/// <summary>A method that needs statistics of the kinds that its setting says, and keeps what it was given.</summary>
internal sealed class NeedyMethod : ICodec
{
    public string Name => "needy";

    public string Summary => "for tests";

    public int Version => 1;

    public IReadOnlyList<Setting> Settings => [new("kinds", "what it needs", (int)StatisticKinds.InputSecondMoments, 0, 63)];

    public ILayerEncoder Configure(SettingValues settings, ulong seed) => new Encoder((StatisticKinds)settings.Int("kinds"));

    private sealed class Encoder(StatisticKinds kinds) : ILayerEncoder
    {
        public string Settings => string.Create(CultureInfo.InvariantCulture, $"kinds={(int)kinds}");

        public StatisticKinds Needs => kinds;

        public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken) => new("keep", new JsonObject(), []);
    }
}
