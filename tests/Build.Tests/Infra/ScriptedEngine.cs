using System.Globalization;
using System.Text.Json;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Compress.Build.Tests.Infra;

/// <summary>
/// Stands in for the engine where its numerics do not matter: it says what it is told to, hands every model back as it is (which is a
/// packed model whose tensors are all kept), and exits.
/// </summary>
internal static class ScriptedEngine
{
    private const string SaysVariable = "SCRIPTED_ENGINE_SAYS";
    private const string ExitVariable = "SCRIPTED_ENGINE_EXIT";
    private const string SecondsVariable = "SCRIPTED_ENGINE_SECONDS";
    private const string AwaitsVariable = "SCRIPTED_ENGINE_AWAITS";

    private const string Source = $$"""
        using System;
        using System.IO;
        using System.Linq;
        using System.Text.Json;

        Console.OutputEncoding = new System.Text.UTF8Encoding(false);
        Console.Write(Environment.GetEnvironmentVariable("{{SaysVariable}}"));
        Console.Out.Flush();
        System.Threading.Thread.Sleep(TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("{{SecondsVariable}}") ?? "0")));
        string awaited = Environment.GetEnvironmentVariable("{{AwaitsVariable}}") ?? "";
        for (int tenths = 0; awaited.Length > 0 && Directory.GetFiles(awaited).Length < 3; tenths++)
        {
            if (tenths == 1200)
            {
                return 1;
            }

            System.Threading.Thread.Sleep(100);
        }

        int exit = int.Parse(Environment.GetEnvironmentVariable("{{ExitVariable}}") ?? "0");
        using var request = JsonDocument.Parse(File.ReadAllText(args[1]));
        foreach (var model in request.RootElement.GetProperty("models").EnumerateArray().Where(_ => exit == 0))
        {
            string source = model.GetProperty("model").GetString()!, output = model.GetProperty("output").GetString()!;
            Directory.CreateDirectory(Path.GetDirectoryName(output)!);
            File.Copy(source, output, overwrite: true);
            File.WriteAllText(model.GetProperty("report").GetString()!, "{}");
            File.WriteAllText(model.GetProperty("record").GetString()!, JsonSerializer.Serialize(new { files = new[] { source } }));
        }

        return exit;
        """;

    private static readonly Lazy<string> Lazily = new(Compile);

    /// <summary>The argument that makes a build use this engine.</summary>
    public static string Argument => "-p:_CompressEnginePath=" + Lazily.Value;

    /// <summary>What the engine of the project's next builds says, how long it then takes, and its exit code.</summary>
    public static void Script(TestProject project, string says, int exit = 0, int seconds = 0)
    {
        project.Environment[SaysVariable] = says;
        project.Environment[ExitVariable] = exit.ToString(CultureInfo.InvariantCulture);
        project.Environment[SecondsVariable] = seconds.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Lets the engine of the project's next builds wait until a folder has three files, for two minutes at most.</summary>
    public static void AwaitThreeFiles(TestProject project, string folder) => project.Environment[AwaitsVariable] = folder;

    private static string Compile()
    {
        string folder = Path.Combine(TestRun.Current.Root, "engine");
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, "compress.dll");
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(file => Path.GetFileName(file).StartsWith("System.", StringComparison.Ordinal))
            .Select(file => MetadataReference.CreateFromFile(file));
        var result = CSharpCompilation
            .Create("compress", [CSharpSyntaxTree.ParseText(Source)], references, new CSharpCompilationOptions(OutputKind.ConsoleApplication))
            .Emit(path);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        var framework = new { name = "Microsoft.NETCore.App", version = "10.0.0" };
        File.WriteAllText(
            Path.ChangeExtension(path, ".runtimeconfig.json"), JsonSerializer.Serialize(new { runtimeOptions = new { tfm = "net10.0", framework } }));
        return path;
    }
}
