using System.Globalization;

namespace ConsumerApp;

/// <summary>The command line.</summary>
internal sealed record Options(string Prompt, int Tokens, double Temperature, int Seed, bool Unquantized)
{
    public const string Help = """
        Tells a story with stories260K from weights that the build has compressed.

          --prompt TEXT        how the story begins
          --tokens N           the most tokens to tell (default 256)
          --temperature T      0 always takes the likeliest token (default 0.5)
          --seed N             another story (default 1)
          --unquantized        from the floats that the weights were compressed from
        """;

    /// <exception cref="FormatException">For the user.</exception>
    public static Options Parse(string[] args)
    {
        var options = new Options("", 256, 0.5, 1, false);
        for (int i = 0; i < args.Length; i++)
        {
            string Value() => ++i < args.Length ? args[i] : throw new FormatException($"{args[i - 1]} needs a value");
            options = args[i] switch
            {
                "--prompt" => options with { Prompt = Value() },
                "--tokens" => options with { Tokens = ParseNumber(Value(), 1) },
                "--temperature" => options with { Temperature = ParseTemperature(Value()) },
                "--seed" => options with { Seed = ParseNumber(Value(), int.MinValue) },
                "--unquantized" => options with { Unquantized = true },
                _ => throw new FormatException($"'{args[i]}' is not an option"),
            };
        }

        return options;
    }

    private static int ParseNumber(string text, int min) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= min
            ? value
            : throw new FormatException($"'{text}' is not a whole number{(min == 1 ? " above 0" : "")}");

    private static double ParseTemperature(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is >= 0 and < 100
            ? value
            : throw new FormatException($"'{text}' is not a temperature, 0 or above");
}
