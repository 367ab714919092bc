using Compress.Cli.Console;

namespace Compress.Cli.Tests.Infra;

/// <summary>What a command line gave.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    /// <summary>The lines that are diagnostics, wherever they were written.</summary>
    public string[] Diagnostics { get; } =
        [.. (Output + Error).Split('\n').Where(line => line.Contains(": error CMPR", StringComparison.Ordinal)
            || line.Contains(": warning CMPR", StringComparison.Ordinal)
            || line.Contains(": message CMPR", StringComparison.Ordinal))];

    /// <summary>The one diagnostic, after checks that there is exactly one, of that code, and no stack trace.</summary>
    public string Single(string code)
    {
        string line = Assert.Single(Diagnostics);
        Assert.Contains($"error {code}: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Output + Error, StringComparison.Ordinal);
        return line;
    }
}

/// <summary>A folder of its own for one test, with a cache of its own, in which the program runs in-process.</summary>
internal sealed class Workspace : IDisposable
{
    /// <summary>Spaces and letters beyond ASCII: what users' folders are called.</summary>
    public string Root { get; } = Directory.CreateTempSubdirectory("compress cli tést ").FullName;

    public string Cache => this["cache"];

    /// <summary>The path of a file in the folder.</summary>
    public string this[params string[] names] => Path.Combine([Root, .. names]);

    /// <summary>Writes a model and gives its path.</summary>
    public string Model(TestModel model, string name = "model.safetensors")
    {
        model.Write(this[name]);
        return this[name];
    }

    /// <summary>Writes a text file and gives its path.</summary>
    public string Text(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>Runs a command line in this folder.</summary>
    public Outcome Run(params string[] args) => Run(new Interruption(), args);

    public Outcome Run(Interruption interruption, params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        int exitCode = CompressProgram.Run(args, new Session(new Terminal(output, error), Root, interruption));
        return new(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Compresses a model with this workspace's cache, and gives the packed file.</summary>
    public string Packed(string model, params string[] more)
    {
        var outcome = Run(["run", model, "--cache", Cache, .. more]);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        return this[Path.GetFileNameWithoutExtension(model) + ".packed.safetensors"];
    }

    /// <summary>All files, but those of the cache; by name.</summary>
    public string[] Files() =>
        [.. Directory.EnumerateFileSystemEntries(Root).Select(path => Path.GetFileName(path)!).Where(name => name != "cache").Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
