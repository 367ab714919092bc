using System.CommandLine;
using Compress.Core.Evaluation;

namespace Compress.Cli.Commands;

/// <summary>The options that say on what a language model is measured.</summary>
internal sealed class EvaluationOptions
{
    private readonly Option<string> text;
    private readonly Option<TextUnit> unit;
    private readonly Option<int?> window = Count("--window", "Tokens of a window, that for the beginning included. Default: as many as the model has positions for.", 2);
    private readonly Option<int?> stride = Count("--stride", "From one window of a document to the next, in tokens. Default: windows do not overlap.", 1);
    private readonly Option<int?> limit = Count("--limit", "How many windows, or paragraphs, are used. Default: all.", 1);
    private readonly Option<bool> noBos = new("--no-bos") { Description = "Do not begin windows with the token for the beginning of a text." };

    /// <param name="required">True if there has to be a text.</param>
    public EvaluationOptions(bool required)
    {
        text = new("--text") { Description = "A held-out text (UTF-8), or a file of token ids (.ids).", HelpName = "FILE", Required = required };
        unit = Unit();
    }

    /// <summary>What of a text is a sequence of its own.</summary>
    public static Option<TextUnit> Unit() => new("--unit")
    {
        Description = "What is a sequence of its own: document (default: the whole text, cut into windows) or paragraph (each, cut to one window).",
        HelpName = "UNIT",
        CustomParser = argument =>
        {
            string value = argument.Tokens[0].Value;
            if (value is "document" or "paragraph")
            {
                return value == "paragraph" ? TextUnit.Paragraph : TextUnit.Document;
            }

            argument.AddError($"--unit is '{value}'; give document or paragraph");
            return default;
        },
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { text, unit, window, stride, limit, noBos })
        {
            command.Add(option);
        }
    }

    /// <summary>What the command line says; null if it names no text.</summary>
    public EvaluationSettings? Read(ParseResult parsed, Session session) => parsed.GetValue(text) is not { } path
        ? null
        : new(session.Absolute(path))
        {
            Unit = parsed.GetValue(unit),
            Window = parsed.GetValue(window),
            Stride = parsed.GetValue(stride),
            Limit = parsed.GetValue(limit),
            Bos = !parsed.GetValue(noBos),
        };

    /// <summary>A whole number.</summary>
    public static Option<int?> Count(string name, string description, int least) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = argument =>
        {
            if (int.TryParse(argument.Tokens[0].Value, out int value) && value >= least)
            {
                return value;
            }

            argument.AddError($"{name} is '{argument.Tokens[0].Value}'; give a whole number of at least {least}");
            return null;
        },
    };
}
