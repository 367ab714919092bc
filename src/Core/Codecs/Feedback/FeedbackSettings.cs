using System.Globalization;

namespace Compress.Core.Codecs.Feedback;

/// <summary>The settings of a recipe that concern <see cref="ErrorFeedback"/>, for every method that has it.</summary>
/// <param name="Damping">What is added to the diagonal of the second moments, in percent of its mean.</param>
/// <param name="ActivationOrder">True to begin with the inputs of greatest moment.</param>
internal sealed record FeedbackSettings(int Damping, bool ActivationOrder)
{
    private const string Name = "feedback", DampingName = "damping", OrderName = "actOrder";

    /// <summary>What recipes may say.</summary>
    public static IReadOnlyList<Setting> Declared { get; } =
    [
        new(Name, "gptq: each weight makes up for the rounding of those before it, as the layer's inputs have it (needs calibration); none: round each for itself.",
            "none", Choices: ["none", "gptq"]),
        new(DampingName, "What is added to the diagonal of the inputs' second moments, in percent of its mean. Only with feedback: gptq.", 1, 0, 100),
        new(OrderName, "true: round the weights of the strongest inputs first; false: from the first to the last. Only with feedback: gptq.", true),
    ];

    /// <summary>Reads them.</summary>
    /// <returns>Null without feedback.</returns>
    /// <exception cref="SettingException">They do not go together.</exception>
    public static FeedbackSettings? From(SettingValues values)
    {
        if (values.Text(Name) == "gptq")
        {
            return new(values.Int(DampingName), values.Bool(OrderName));
        }

        foreach (string name in new[] { DampingName, OrderName })
        {
            if (values.IsGiven(name))
            {
                throw new SettingException(name, "it has no meaning without feedback; leave it out, or add feedback: gptq");
            }
        }

        return null;
    }

    /// <summary>The canonical text.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"feedback=gptq damping={Damping} actOrder={(ActivationOrder ? "true" : "false")}");
}
