using System.CommandLine;
using Compress.Cli.Console;
using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;

namespace Compress.Cli.Commands;

/// <summary><c>compress cache</c>: looks after the layer cache.</summary>
internal static class CacheCommand
{
    public static Command Create(Session session)
    {
        var place = CommonOptions.Cache();
        place.Recursive = true;
        return new Command("cache", "Looks after the cache of encoded layers and measured perplexities.")
        {
            place,
            Sub("stats", "Shows where the cache is and how much it holds.", Stats),
            Trim(session, place),
            Sub("verify", "Checks every entry and removes damaged ones.", Verify),
            Sub("clear", "Removes all entries.", Clear),
        };

        Command Sub(string name, string description, Func<LayerCache, Session, int> action)
        {
            var command = new Command(name, description);
            command.SetAction(parsed => action(Open(session, parsed.GetValue(place)), session));
            return command;
        }
    }

    private static Command Trim(Session session, Option<string> place)
    {
        var maxSize = CommonOptions.Size("--max-size", "The size to keep, such as 2GB, 500MB or 1.5GiB.");
        maxSize.Required = true;
        var command = new Command("trim", "Removes the least recently used entries until the rest fits.") { maxSize };
        command.SetAction(parsed =>
        {
            var (entries, bytes) = Open(session, parsed.GetValue(place)).Trim(parsed.GetValue(maxSize));
            session.Terminal.Output.WriteLine($"{Quantity.Count(entries)} entries removed, {Quantity.Bytes(bytes)}");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static LayerCache Open(Session session, string? named) =>
        new(CommonOptions.CachePath(session, named) ?? throw new CompressException(Codes.ArgumentInvalid,
            $"there is no cache: this user has no home folder; name one with --cache or {CacheDirectory.Variable}"));

    private static int Stats(LayerCache cache, Session session)
    {
        var (entries, bytes) = cache.Statistics();
        var (results, resultBytes) = new EvaluationCache(cache.Directory).Statistics();
        string evaluations = results > 0 ? $"; {Quantity.Count(results)} evaluations, {Quantity.Bytes(resultBytes)}" : "";
        session.Terminal.Output.WriteLine($"{cache.Directory}: {Quantity.Count(entries)} entries, {Quantity.Bytes(bytes)}{evaluations}");
        return ExitCodes.Ok;
    }

    private static int Clear(LayerCache cache, Session session)
    {
        var (entries, bytes) = cache.Clear();
        var (results, resultBytes) = new EvaluationCache(cache.Directory).Clear();
        string evaluations = results > 0 ? $"; {Quantity.Count(results)} evaluations removed, {Quantity.Bytes(resultBytes)}" : "";
        session.Terminal.Output.WriteLine($"{Quantity.Count(entries)} entries removed, {Quantity.Bytes(bytes)}{evaluations}");
        return ExitCodes.Ok;
    }

    private static int Verify(LayerCache cache, Session session)
    {
        var diagnostics = new DiagnosticBag();
        var (count, damaged) = cache.Verify(diagnostics, session.Cancellation);
        foreach (var diagnostic in diagnostics.Items)
        {
            session.Terminal.Report(diagnostic);
        }

        session.Terminal.Output.WriteLine($"{Quantity.Count(count)} entries checked, {Quantity.Count(damaged)} damaged");
        return ExitCodes.Ok;
    }
}
