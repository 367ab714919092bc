using System.CommandLine;
using System.CommandLine.Parsing;
using Compress.Cli.Commands;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes;

namespace Compress.Cli;

/// <summary>The <c>compress</c> program: from arguments to an exit code. Throws nothing.</summary>
internal static class CompressProgram
{
    // '@' begins folder names of npm and others: it is no response file.
    private static readonly ParserConfiguration Parsing = new() { ResponseFileTokenReplacer = null };

    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static int Run(string[] args, Session session)
    {
        try
        {
            var parsed = CommandTable.CreateRoot(session).Parse(args, Parsing);
            if (parsed.Errors.Count > 0)
            {
                return Misused(parsed, session);
            }

            session.Verbose |= parsed.GetValue(CommandTable.Verbose);
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = session.Terminal.Output,
                Error = session.Terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null, // Session.Interruption does this
            });
        }
        catch (OperationCanceledException) when (session.Cancellation.IsCancellationRequested)
        {
            session.Terminal.Error.WriteLine("compress: cancelled");
            return ExitCodes.Cancelled;
        }
#pragma warning disable CA1031 // The outermost handler: whatever it is, the user gets one line.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            session.Terminal.Report(Failures.Describe(exception));
            if (session.Verbose)
            {
                session.Terminal.Error.WriteLine(exception);
            }

            return ExitCodes.Errors;
        }
    }

    private static int Misused(ParseResult parsed, Session session)
    {
        session.Terminal.Report(new Diagnostic(Codes.ArgumentInvalid, Severity.Error, Mistake(parsed)));
        var path = new Stack<string>();
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult command; result = result.Parent)
        {
            path.Push(result.Parent is null ? CommandTable.ProgramName : command.Command.Name);
        }

        session.Terminal.Error.WriteLine($"'{string.Join(' ', path)} --help' shows what it takes.");
        return ExitCodes.Usage;
    }

    // One mistake often gives several errors; the one that names it comes first.
    private static string Mistake(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is not [var token, ..])
        {
            return parsed.Errors[0].Message;
        }

        var command = parsed.CommandResult.Command;
        if (token.StartsWith('-'))
        {
            return $"there is no option '{token}' here{NearestName.Hint(token, command.Options.Select(option => option.Name))}";
        }

        var commands = command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name);
        return command.Subcommands.Count == 0
            ? $"unexpected argument '{token}'"
            : $"there is no command '{token}' here{NearestName.Hint(token, commands)}";
    }
}
