using Compress.Core.Codecs;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Codecs.Hashed;
using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs;

public sealed class HashedTests
{
    // By a program in Python that follows docs/format.md.
    [Theory]
    [InlineData(0UL, 0, 0, 3922253130U, 913)]
    [InlineData(0UL, 0, 1, 3434031448U, 799)]
    [InlineData(0UL, 1, 0, 1245109237U, 289)]
    [InlineData(7UL, 3, 500, 42395270U, 9)]
    [InlineData(123456789UL, 70000, 4095, 1898656704U, 442)]
    public void HashIsWhatTheFormatSays(ulong seed, int row, int column, uint hash, int index)
    {
        Assert.Equal(hash, HashedTensor.Hash(HashedTensor.RowHash(HashedTensor.SeedOf(seed), row), column));
        Assert.Equal(index, HashedTensor.Index(hash, 1000));
    }

    // A part of 1 - 1/share of the energy of independent weights is lost (algorithms.md, 4.3), and more where values have no weight, which chance leaves to e^-share of them.
    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(64)]
    public void WithoutTrainingItLosesWhatChanceTakes(int share) =>
        Assert.Equal(1 - ((1 - Math.Exp(-share)) / share), Encoders.Of("hashed", ("share", share)).RelativeError(RandomWeights.Gaussian(512 * 512), 512, 512), 0.01);

    // What a hash of few places gives, value by value.
    [Fact]
    public void ValueIsTheMeanOfItsWeightsWithTheirSigns()
    {
        const int Rows = 5, Columns = 9, Share = 4, Values = 12;
        float[] weights = RandomWeights.Gaussian(Rows * Columns), decoded = Encoders.Of("hashed", 7, ("share", Share)).Decoded(weights, Rows, Columns);
        var places = Enumerable.Range(0, Rows * Columns).ToLookup(i => HashedTensor.Index(Hash(i), Values));
        foreach (var members in places)
        {
            double mean = members.Average(i => (Hash(i) & 1) == 0 ? weights[i] : -weights[i]);
            Assert.All(members, i => Assert.Equal((Hash(i) & 1) == 0 ? mean : -mean, decoded[i], 1e-3));
        }

        uint Hash(int i) => HashedTensor.Hash(HashedTensor.RowHash(HashedTensor.SeedOf(7), i / Columns), i % Columns);
    }

    [Theory]
    [InlineData(64, 100, 8, 800)]
    [InlineData(3, 5, 8, 2)]
    [InlineData(1, 1, 1024, 1)]
    public void ItStoresTwoBytesForEachValueAndNothingElse(int rows, int columns, int share, int values)
    {
        var encoded = Encoders.Of("hashed", ("share", share)).Encoded(RandomWeights.Gaussian(rows * columns), rows, columns);
        Assert.Equal(2 * values, Assert.Single(encoded.Parts).Bytes.Length);
    }

    [Fact]
    public void EveryKernelMultipliesWhatItUnpacks()
    {
        const int Rows = 9, Columns = 70, Batch = 5;
        var encoded = Encoders.Of("hashed").Encoded(RandomWeights.Gaussian(Rows * Columns), Rows, Columns);
        float[] x = RandomWeights.Gaussian(Batch * Columns, 3);
        foreach (var kernel in Kernel.All)
        {
            var tensor = new HashedTensor(DecodedTensor.Parts(encoded, DType.F32, [Rows, Columns]), kernel);
            float[] decoded = new float[Rows * Columns], y = new float[Batch * Rows];
            tensor.Dequantize(decoded);
            tensor.Multiply(x, y, Batch);
            for (int i = 0; i < y.Length; i++)
            {
                double sum = Enumerable.Range(0, Columns).Sum(k => (double)decoded[(i % Rows * Columns) + k] * x[(i / Rows * Columns) + k]);
                Assert.Equal(sum, y[i], 1e-5);
            }
        }
    }

    [Theory]
    [InlineData("values", 0)]
    [InlineData("values", 641)]
    public void NumberOfValuesThatCannotBeIsRefused(string parameter, int number)
    {
        var encoded = Encoders.Of("hashed").Encoded(RandomWeights.Gaussian(640), 10, 64);
        encoded.Parameters[parameter] = number;
        Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(encoded, DType.F32, [10, 64]));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("recover: { text: t.ids, steps: 1 }\n", false)]
    public void ItsRecipeShouldTrain(string recover, bool warns)
    {
        using var folder = new TempFolder();
        new TestModel().Add("w", [64, 64], RandomWeights.Gaussian(64 * 64)).Write(folder["m.safetensors"]);
        File.WriteAllText(folder["m.compress.yaml"], recover + "method: hashed\n");
        var diagnostics = new DiagnosticBag();
        Compressor.Run(new(folder["m.safetensors"], null, folder["m.packed.safetensors"]), diagnostics, null, CancellationToken.None);
        var found = diagnostics.Items.Where(item => item.Code == Codes.RecipeNeedsRecovery).ToList();
        Assert.Equal(warns, found.Count == 1);
        Assert.All(found, item => Assert.Equal((Severity.Warning, 1, 1), (item.Severity, item.Line, item.Column)));
    }
}
