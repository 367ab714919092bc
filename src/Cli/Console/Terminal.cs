using System.Text;
using Compress.Core.Diagnostics;
using Spectre.Console;

namespace Compress.Cli.Console;

/// <summary>Where the program writes, and whether a person is looking. Text is UTF-8 without a byte order mark.</summary>
internal sealed class Terminal
{
    private readonly Lazy<IAnsiConsole> richOutput;
    private readonly Lazy<IAnsiConsole> richError;

    public Terminal(TextWriter output, TextWriter error, bool outputIsTerminal = false, bool errorIsTerminal = false, bool color = false)
    {
        Output = output;
        Error = error;
        OutputIsTerminal = outputIsTerminal;
        ErrorIsTerminal = errorIsTerminal;
        // Created on first use: a redirected run never pays for loading Spectre.Console.
        richOutput = new(() => Rich(output, color));
        richError = new(() => Rich(error, color));
    }

    /// <summary>Results.</summary>
    public TextWriter Output { get; }

    /// <summary>Diagnostics and progress.</summary>
    public TextWriter Error { get; }

    public bool OutputIsTerminal { get; }

    public bool ErrorIsTerminal { get; }

    /// <summary>For tables, when <see cref="OutputIsTerminal"/>.</summary>
    public IAnsiConsole RichOutput => richOutput.Value;

    /// <summary>For progress, when <see cref="ErrorIsTerminal"/>.</summary>
    public IAnsiConsole RichError => richError.Value;

    /// <summary>The streams of this process.</summary>
    public static Terminal Process()
    {
        bool plain = Environment.GetEnvironmentVariable("TERM") == "dumb";
        bool outputIsTerminal = !System.Console.IsOutputRedirected && !plain;
        bool errorIsTerminal = !System.Console.IsErrorRedirected && !plain;
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        if (OperatingSystem.IsWindows() && (outputIsTerminal || errorIsTerminal))
        {
            System.Console.OutputEncoding = utf8; // consoles start in a code page
        }

        return new Terminal(
            new StreamWriter(System.Console.OpenStandardOutput(), utf8) { AutoFlush = true },
            new StreamWriter(System.Console.OpenStandardError(), utf8) { AutoFlush = true },
            outputIsTerminal,
            errorIsTerminal,
            color: string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));
    }

    /// <summary>Shows a diagnostic in canonical form; on a terminal its kind and code stand out.</summary>
    public void Report(Diagnostic diagnostic)
    {
        string line = diagnostic.ToString();
        if (!ErrorIsTerminal)
        {
            Error.WriteLine(line);
            return;
        }

        var color = diagnostic.Severity switch
        {
            Severity.Error => Color.Red,
            Severity.Warning => Color.Yellow,
            _ => Color.Default,
        };
        string kind = $"{diagnostic.Kind} {diagnostic.Code}";
        int start = line.IndexOf(kind, StringComparison.Ordinal);
        // Only these words go through Spectre.Console, which would break long lines and thereby links to files.
        Error.Write(line[..start]);
        RichError.Write(new Text(kind, new Style(color)));
        Error.WriteLine(line[(start + kind.Length)..]);
    }

    private static IAnsiConsole Rich(TextWriter writer, bool color) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(writer),
        Ansi = AnsiSupport.Detect,
        Interactive = InteractionSupport.Detect,
        ColorSystem = color ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
    });
}
