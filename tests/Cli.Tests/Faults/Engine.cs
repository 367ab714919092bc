using System.Diagnostics;
using System.Text.Json;
using Compress.Cli.Tests.Infra;

namespace Compress.Cli.Tests.Faults;

/// <summary>The engine as a build starts it, with a model and a folder of its own, and the workspace's cache.</summary>
internal sealed class Engine
{
    private readonly Workspace workspace;
    private readonly string name;

    /// <param name="workspace">Where everything is.</param>
    /// <param name="name">Of the model. Two with equal numbers of layers and rows hold the same layers.</param>
    /// <param name="layers">Matrices of the model, all of one size.</param>
    /// <param name="rows">Of each; they have 256 columns.</param>
    public Engine(Workspace workspace, string name, int layers, int rows = 128)
    {
        this.workspace = workspace;
        this.name = name;
        var model = new TestModel();
        float[] values = TestModel.Gaussian(rows * 256, 1);
        for (int layer = 0; layer < layers; layer++)
        {
            values[0] = layer;
            model.Add($"layers.{layer}.weight", [rows, 256], values);
        }

        workspace.Model(model, name + ".safetensors");
        Directory.CreateDirectory(workspace["obj", name]);
        File.WriteAllText(workspace[name + ".request.json"], JsonSerializer.Serialize(new
        {
            models = new[]
            {
                new
                {
                    model = workspace[name + ".safetensors"],
                    recipe = (string?)null,
                    output = Packed,
                    report = Report,
                    record = workspace["obj", name, "inputs.json"],
                },
            },
            cache = workspace.Cache,
            threads = 2,
        }));
    }

    public string Packed => workspace["obj", name, "packed.safetensors"];

    public string Report => workspace["obj", name, "report.json"];

    public static string[] FilesIn(string folder, string pattern) =>
        Directory.Exists(folder)
            ? Directory.GetFiles(folder, pattern, new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            : [];

    public Process Start() => CliProcess.Start(workspace.Root, "msbuild", name + ".request.json");

    public void RunWell() => Finish(Start());

    /// <summary>Waits for the end, and checks that there was nothing to complain about.</summary>
    public static void Finish(Process process)
    {
        var (exitCode, said, error) = CliProcess.Finish(process);
        string text = System.Text.Encoding.UTF8.GetString(said);
        Assert.True(exitCode == ExitCodes.Ok && error.Length == 0 && !text.Contains("CMPR", StringComparison.Ordinal), text + error);
    }

    /// <summary>Takes away the cache and all that was made.</summary>
    public void Forget()
    {
        foreach (string folder in new[] { workspace.Cache, workspace["obj", name] })
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        Directory.CreateDirectory(workspace["obj", name]);
    }
}
