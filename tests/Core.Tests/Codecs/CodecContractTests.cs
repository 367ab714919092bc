using Compress.Core.Codecs;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs;

/// <summary>What every method must do; a new row of <see cref="CodecTable"/> is tested by itself.</summary>
public class CodecContractTests
{
    private static readonly (int Rows, int Columns)[] Shapes =
        [(1, 1), (1, 3), (7, 1), (1, 4097), (5, 3), (6, 54), (4, 172), (3, 64), (2, 2048), (40, 33), (0, 16), (16, 0), (0, 0)];

    /// <summary>Each method with its defaults, and with every setting at other values, where they go together.</summary>
    public static IEnumerable<object[]> Variants { get; } =
        [.. from codec in CodecTable.All from variant in VariantsOf(codec) select new object[] { codec.Name, variant }];

    [Theory]
    [MemberData(nameof(Variants))]
    public void EveryShapeComesBack(string codec, string variant)
    {
        var encoder = Encoder(codec, variant);
        foreach (var (rows, columns) in Shapes)
        {
            float[] weights = RandomWeights.Laplace(rows * columns);
            double error = encoder.RelativeError(weights, rows, columns);
            Assert.True(error < (codec == "hashed" ? 1.001 : 0.75), $"[{rows}, {columns}]: relative error {error}");
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void SameWeightsGiveTheSameBytes(string codec, string variant)
    {
        float[] weights = RandomWeights.Gaussian(9 * 300);
        Assert.Equal(Bytes(Encoder(codec, variant), weights, 9, 300), Bytes(Encoder(codec, variant), weights, 9, 300));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void ZerosStayZeros(string codec, string variant)
    {
        Assert.All(Encoder(codec, variant).Decoded(new float[3 * 200], 3, 200), value => Assert.Equal(0, value));
        if (codec == "hashed" || variant.Contains("clusters", StringComparison.Ordinal))
        {
            return; // rows share values, or groups
        }

        float[] oneRow = new float[3 * 200];
        RandomWeights.Gaussian(200).CopyTo(oneRow, 200);
        float[] decoded = Encoder(codec, variant).Decoded(oneRow, 3, 200);
        Assert.All(decoded[..200], value => Assert.Equal(0, value, 1e-6));
        Assert.All(decoded[400..], value => Assert.Equal(0, value, 1e-6));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void MagnitudeDoesNotMatter(string codec, string variant)
    {
        var encoder = Encoder(codec, variant);
        float[] weights = RandomWeights.Laplace(4 * 172);
        // With feedback, and where codebooks are learned, a difference in a last bit changes what follows. Powers of two make none.
        double expected = encoder.RelativeError(weights, 4, 172);
        double rounded = codec is "aqlm" or "crvq" ? 1 : encoder.Needs == StatisticKinds.None ? 0.02 : 0.1;
        foreach (float factor in new[] { 1e30f, 1e-30f, 1e6f, 1e-6f, MathF.ScaleB(1, 100), MathF.ScaleB(1, -100) })
        {
            double tolerance = float.IsPow2(factor) ? Math.Min(rounded, 0.02) : rounded;
            Assert.Equal(1, encoder.RelativeError(Array.ConvertAll(weights, w => w * factor), 4, 172) / expected, tolerance);
        }

        // Subnormal floats have few bits themselves.
        Assert.InRange(encoder.RelativeError(Array.ConvertAll(weights, w => w * 1e-40f), 4, 172) / expected, 0.5, 2);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void PowerOfTwoChangesTheScalesOnly(string codec, string variant)
    {
        var encoder = Encoder(codec, variant);
        float[] weights = RandomWeights.Gaussian(4 * 100);
        float[] decoded = encoder.Decoded(weights, 4, 100);
        float[] scaled = encoder.Decoded(Array.ConvertAll(weights, w => w * 1024), 4, 100);
        Assert.Equal(Array.ConvertAll(decoded, w => w * 1024), scaled);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void HugeOutlierHarmsItsOwnScaleOnly(string codec, string variant)
    {
        float[] weights = RandomWeights.Gaussian(2 * 512);
        weights[5] = 1e9f;
        float[] decoded = Encoder(codec, variant).Decoded(weights, 2, 512);
        Assert.All(decoded, value => Assert.True(float.IsFinite(value)));
        // cvxq spreads bits where they lower the error of the whole matrix most: CvxqTests.OutlierTakesEightBitsAndNoMore.
        // kmeans has few values for a whole matrix: SharedValues.OfAnOutlierAreItsOwn.
        if (codec is not ("cvxq" or "kmeans" or "hashed") && !variant.Contains("tensor", StringComparison.Ordinal))
        {
            Assert.InRange(Encoders.RelativeError(weights[512..], decoded[512..]), 0, 0.75);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void BitsPerWeightIsTheSizeOfTheParts(string codec, string variant)
    {
        foreach (var (rows, columns) in Shapes.Where(shape => shape.Rows * shape.Columns > 0))
        {
            float[] weights = RandomWeights.Gaussian(rows * columns);
            var encoded = Encoder(codec, variant).Encoded(weights, rows, columns);
            Assert.All(encoded.Parts, part =>
                Assert.Equal(part.Bytes.Length, part.Shape.Aggregate(1L, (product, d) => product * d) * part.DType.SizeInBytes()));
            long bytes = encoded.Parts.Sum(part => part.Bytes.LongLength);
            Assert.Equal(8.0 * bytes / weights.Length, DecodedTensor.Open(encoded, DType.F32, [rows, columns]).BitsPerWeight, 1e-9);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void MultiplyAgreesWithTheDecodedMatrix(string codec, string variant)
    {
        const int Rows = 9, Columns = 172;
        var tensor = Encoder(codec, variant).Packed(RandomWeights.Gaussian(Rows * Columns), Rows, Columns);
        float[] decoded = new float[Rows * Columns], x = RandomWeights.Gaussian(Columns, 5), y = new float[Rows];
        tensor.Dequantize(decoded);
        tensor.Multiply(x, y);
        for (int row = 0; row < Rows; row++)
        {
            double sum = 0, magnitude = 0;
            for (int i = 0; i < Columns; i++)
            {
                double product = (double)decoded[(row * Columns) + i] * x[i];
                sum += product;
                magnitude += Math.Abs(product);
            }

            Assert.Equal(sum, y[row], 1e-3 * magnitude);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void CancelledEncodingStops(string codec, string variant)
    {
        using var source = new CancellationTokenSource();
        var weights = new CancellingMatrix(source);
        Assert.Throws<OperationCanceledException>(() => Encoder(codec, variant).Encode(weights, null, source.Token));
        Assert.Equal(1, weights.Reads);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void SettingsTextTellsVariantsApart(string codec, string variant)
    {
        string text = Encoder(codec, variant).Settings;
        var same = VariantsOf(CodecTable.Find(codec)!).Where(other => Encoder(codec, other).Settings == text);
        Assert.Equal([variant], same);
        Assert.All(text, character => Assert.InRange(character, ' ', '~'));
    }

    [Fact]
    public void EverySettingAppearsInSomeVariant()
    {
        foreach (var codec in CodecTable.All)
        {
            Assert.All(codec.Settings, setting => Assert.Contains(VariantsOf(codec), variant => variant.Contains(setting.Name + "=", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void NamesAndDefaultsAreSound()
    {
        Assert.Equal("higgs", CodecTable.All[0].Name);
        foreach (var codec in CodecTable.All)
        {
            Assert.Same(codec, CodecTable.Find(codec.Name));
            Assert.True(codec.Version >= 1);
            Assert.DoesNotContain('\n', codec.Summary);
            Assert.Equal(codec.Settings.Count, codec.Settings.DistinctBy(setting => setting.Name).Count());
            Assert.All(codec.Settings, setting =>
            {
                Assert.DoesNotContain('\n', setting.Description);
                Assert.True(setting.Default switch
                {
                    int number => number >= setting.Min && number <= setting.Max,
                    double number => number >= setting.Min && number <= setting.Max,
                    string text => setting.Choices!.Contains(text),
                    _ => setting.Default is bool,
                });
            });
        }

        Assert.Null(CodecTable.Find("Higgs"));
    }

    // Each setting alone at other values within its bounds, or with another one where the method refuses, unless that is as good as the defaults.
    private static List<string> VariantsOf(ICodec codec)
    {
        List<string> variants = [""];
        var texts = new HashSet<string> { Encoder(codec.Name, "").Settings };
        foreach (var setting in codec.Settings)
        {
            foreach (string variant in Values(setting))
            {
                _ = Add(variant) || codec.Settings.Where(other => other != setting).SelectMany(Values).Any(other => Add(other + " " + variant));
            }
        }

        return variants;

        // False if they do not go together, or are what others are.
        bool Add(string variant)
        {
            try
            {
                bool isNew = texts.Add(Encoder(codec.Name, variant).Settings);
                variants.AddRange(isNew ? [variant] : []);
                return isNew;
            }
            catch (SettingException)
            {
                return false;
            }
        }

        static IEnumerable<string> Values(Setting setting) => Others(setting).Select(value => FormattableString.Invariant($"{setting.Name}={value}"));
    }

    private static IEnumerable<object> Others(Setting setting) => setting.Default switch
    {
        bool value => [!value],
        double => [(double)setting.Min, setting.Min + 0.5, (double)setting.Max],
        string => setting.Choices!.Where(choice => choice != (string)setting.Default),
        _ => new[] { setting.Min, setting.Min + 1, 3, 7, 20, 128, setting.Max }.Where(value => value >= setting.Min && value <= setting.Max)
            .Distinct().Cast<object>(),
    };

    private static ILayerEncoder Encoder(string codec, string variant) => Encoders.Of(codec,
    [
        .. variant.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('=')).Select(part =>
            (part[0], CodecTable.Find(codec)!.Settings.Single(setting => setting.Name == part[0]).Default switch
            {
                bool => (object)bool.Parse(part[1]),
                int => int.Parse(part[1]),
                double => double.Parse(part[1], System.Globalization.CultureInfo.InvariantCulture),
                _ => part[1],
            })),
    ]);

    private static byte[] Bytes(ILayerEncoder encoder, float[] weights, int rows, int columns)
    {
        var encoded = encoder.Encoded(weights, rows, columns);
        return [.. System.Text.Encoding.UTF8.GetBytes(encoded.Parameters.ToJsonString()), .. encoded.Parts.SelectMany(part => part.Bytes)];
    }

    /// <summary>Is cancelled while its first rows are read.</summary>
    private sealed class CancellingMatrix(CancellationTokenSource source) : WeightMatrix
    {
        public int Reads { get; private set; }

        public override int Rows => 1_000_000;

        public override int Columns => 64;

        public override void ReadRows(int firstRow, int rowCount, Span<float> destination)
        {
            Reads++;
            destination.Fill(1);
            source.Cancel();
        }
    }
}
