using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Recovery;

/// <summary>A recovery after some of its steps: everything that the next ones depend on.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Values">All numbers that are trained.</param>
/// <param name="Means">Adam's means of their gradients.</param>
/// <param name="Squares">Adam's means of the squares.</param>
/// <param name="Best">The numbers that were best so far.</param>
/// <param name="BestStep">When.</param>
/// <param name="LossBefore">The loss at the beginning, on windows that are not trained on.</param>
/// <param name="LossBest">The least.</param>
/// <param name="Seconds">Time spent.</param>
internal sealed record RecoveryState(int Step, float[] Values, float[] Means, float[] Squares, float[] Best, int BestStep, double LossBefore, double LossBest, double Seconds)
{
    /// <summary>The codec of entries that hold one: no tensor has it.</summary>
    public const string Codec = "recover";

    /// <summary>The loss with the other numbers that would be taken if they were better: <see cref="Training.Otherwise"/>; null if there are none.</summary>
    public double? LossOtherwise { get; init; }

    /// <summary>Before the first step.</summary>
    public static RecoveryState Start(float[] values, double loss) => new(0, values, new float[values.Length], new float[values.Length], values, 0, loss, loss, 0);

    /// <summary>The digest of the numbers that were best.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(Best)));

    /// <summary>As a cache entry.</summary>
    public EncodedTensor Entry()
    {
        var numbers = new JsonObject { ["step"] = Step, ["bestStep"] = BestStep, ["klBefore"] = Text(LossBefore), ["klBest"] = Text(LossBest), ["seconds"] = Text(Seconds) };
        if (LossOtherwise is { } other)
        {
            numbers["klOtherwise"] = Text(other);
        }

        return new(Codec, numbers, [Part("values", Values), Part("means", Means), Part("squares", Squares), Part("best", Best)]);
    }

    /// <summary>From a cache entry; null if it is not of so many numbers.</summary>
    public static RecoveryState? Of(LayerEntry entry, int count)
    {
        var arrays = entry.As("").Arrays.ToDictionary(array => array.Name, StoredTensor.Bytes, StringComparer.Ordinal);
        return arrays.Values.All(bytes => bytes.Length == count * sizeof(float))
            ? new(
                Int("step"), Floats("values"), Floats("means"), Floats("squares"), Floats("best"), Int("bestStep"), Number("klBefore"), Number("klBest"), Number("seconds"))
            {
                LossOtherwise = entry.Description.TryGetProperty("klOtherwise", out _) ? Number("klOtherwise") : null,
            }
            : null;

        int Int(string name) => entry.Description.GetProperty(name).GetInt32();

        double Number(string name) => double.Parse(entry.Description.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);

        float[] Floats(string name) => MemoryMarshal.Cast<byte, float>(arrays[Runtime.PackedFormat.PartName("", name)]).ToArray();
    }

    // What a destroyed model predicts may be no number, which JSON does not have.
    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static EncodedPart Part(string name, float[] values) => new(name, DType.F32, [values.Length], MemoryMarshal.AsBytes<float>(values).ToArray());
}
