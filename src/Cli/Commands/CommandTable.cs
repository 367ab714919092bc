using System.CommandLine;

namespace Compress.Cli.Commands;

/// <summary>The commands of the program. Adding one adds a class and a row.</summary>
internal static class CommandTable
{
    public const string ProgramName = "compress";

    /// <summary>Understood by every command.</summary>
    public static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Show the stack of unexpected errors.",
        Recursive = true,
    };

    private static readonly Func<Session, Command>[] Rows =
    [
        RunCommand.Create,
        InspectCommand.Create,
        VerifyCommand.Create,
        InitCommand.Create,
        SchemaCommand.Create,
        EvalCommand.Create,
        CalibrateCommand.Create,
        CompareCommand.Create,
        ListCommand.Create,
        CacheCommand.Create,
        MsBuildCommand.Create,
    ];

    public static RootCommand CreateRoot(Session session)
    {
        var root = new RootCommand("Compresses, inspects and verifies neural network weights.") { Verbose };
        foreach (var create in Rows)
        {
            root.Add(create(session));
        }

        return root;
    }
}
