using System.Text.Json.Nodes;
using Compress.Core.Codecs;
using Compress.Core.Models;

namespace Compress.Core.Tests.Infra;

/// <summary>A codec for tests of recipes: declares settings of every type, and encodes to nothing.</summary>
public sealed class FakeMethod(string name, params Setting[] settings) : ICodec
{
    /// <summary>Two methods, the default first, that share a setting with other bounds.</summary>
    public static readonly ICodec[] Two =
    [
        new FakeMethod(
            "higgs",
            new Setting("bits", "Bits per weight.", 4, 1, 8, GivesBits: true),
            new Setting("p", "Weights per code.", 2, 1, 2),
            new Setting("groupSize", "Weights per scale.", 1024, 16, 4096)),
        new FakeMethod(
            "uniform",
            new Setting("bits", "Bits per weight.", 8, 2, 8, GivesBits: true),
            new Setting("symmetric", "No zero points.", false),
            new Setting("granularity", "What shares a scale.", "group", Choices: ["tensor", "channel", "group"])),
    ];

    public string Name => name;

    public string Summary => $"The {name} method.";

    public int Version => 1;

    public bool PacksSingleWeights => name == "uniform";

    public IReadOnlyList<Setting> Settings => settings;

    /// <summary>Refuses <c>groupSize</c> that is no power of two, as a method's own check.</summary>
    public ILayerEncoder Configure(SettingValues settings, ulong seed)
    {
        if (Settings.Any(s => s.Name == "groupSize") && !int.IsPow2(settings.Int("groupSize")))
        {
            throw new SettingException("groupSize", $"found {settings.Int("groupSize")}, expected a power of two");
        }

        var values = Settings.Select(s => $"{s.Name}={(s.Default is int ? settings.Int(s.Name) : s.Default is bool ? settings.Bool(s.Name) : settings.Text(s.Name))}");
        return new Encoder($"{name} {string.Join(' ', values)} seed={seed}");
    }

    private sealed class Encoder(string settings) : ILayerEncoder
    {
        public string Settings => settings;

        public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken) => new(settings, new JsonObject(), []);
    }
}
