using System.CommandLine;
using Compress.Cli.Console;
using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Locating;

namespace Compress.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    public static Option<string> Cache() => new("--cache")
    {
        Description = $"The folder of the layer cache. Default: {CacheDirectory.Variable}, else the user's cache folder.",
        HelpName = "DIR",
    };

    /// <summary>The option that turns the cache off.</summary>
    public static Option<bool> NoCache() => new("--no-cache") { Description = "Neither read nor write the cache." };

    /// <summary>The option that names the dictionary of a checkpoint that is the model.</summary>
    public static Option<string> StateDict() => new("--state-dict")
    {
        Description = "Of a PyTorch checkpoint with several dictionaries of tensors, the one that is the model. Default: as the model's recipe says.",
        HelpName = "NAME",
    };

    /// <summary>The dictionary that is named, or else that the recipe of a model names.</summary>
    /// <param name="model">The absolute path of the model.</param>
    /// <param name="name">What <see cref="StateDict"/> gave.</param>
    public static NamedStateDict? StateDictOf(string model, string? name) =>
        name is null ? NamedStateDict.In(RecipeLocator.Find(model, null).Path) : new(name, null, 0, 0);

    /// <summary>Refuses options of the cache beside the one that turns it off.</summary>
    public static void Exclude(Command command, Option<bool> noCache, params Option[] ofCache) => command.Validators.Add(result =>
    {
        foreach (var option in ofCache.Where(option => result.GetResult(option) is not null && result.GetValue(noCache)))
        {
            result.AddError($"{option.Name} and --no-cache exclude each other");
        }
    });

    /// <summary>An option that takes a size such as <c>2GB</c>; in bytes.</summary>
    public static Option<long> Size(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SIZE",
        CustomParser = argument =>
        {
            if (Quantity.TryParseBytes(argument.Tokens[0].Value, out long bytes))
            {
                return bytes;
            }

            argument.AddError($"{name} is '{argument.Tokens[0].Value}'; give a size such as 2GB, 500MB, 1.5GiB or 4096");
            return 0;
        },
    };

    /// <summary>The folder that the option names, else the default; null if the user has none.</summary>
    public static string? CachePath(Session session, string? named) =>
        named is null ? CacheDirectory.Default : session.Absolute(named);

    /// <summary>The cache for a compression. Null if it is off, or if there is none, which is a warning.</summary>
    public static LayerCache? OpenCache(string? path, CacheMode mode, string salt, DiagnosticBag diagnostics)
    {
        if (mode != CacheMode.Off && path is null)
        {
            diagnostics.Add(new Diagnostic(Codes.CacheNotWritable, Severity.Warning,
                $"there is no cache, because this user has no home folder; name one with --cache, CompressCacheDir or {CacheDirectory.Variable}"));
        }

        return mode == CacheMode.Off || path is null ? null : new LayerCache(path, mode == CacheMode.ReadOnly, salt);
    }
}
