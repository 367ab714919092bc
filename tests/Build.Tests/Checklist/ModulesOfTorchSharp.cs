using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>TS: source that is added to projects which reference TorchSharp. Here that is a package of this name with no more than signatures.</summary>
public sealed class ModulesOfTorchSharp
{
    private const string Uses = """
        using Compress.Runtime;
        using Compress.Torch;
        using TorchSharp;

        internal static class Uses
        {
            public static void Shortest(torch.nn.Module module)
            {
                using var model = App.Tiny.Load();
                model.LoadInto(module);
                Compressed.ReplaceLinears(module, model);
                foreach (torch.Tensor tensor in model.StateDict().Values) tensor.Dispose();
            }

            public static void All(PackedModel model, torch.nn.Module module)
            {
                model.LoadInto(module);
                foreach (torch.Tensor tensor in model.StateDict().Values) tensor.Dispose();
                Console.WriteLine(string.Join(',', Compressed.ReplaceLinears(module, model)));
                using var recorder = new CalibrationRecorder(module);
                recorder.Write("stats.safetensors");
                torch.nn.Module<torch.Tensor, torch.Tensor> layer = new PackedLinear(model["w"]);
            }
        }
        """;

    private readonly string folder = TestRun.Current.NewFolder();

    [Fact]
    public void TS_01_AreAddedWhereItIsReferenced()
    {
        using var library = new TestProject("TorchSharp", """<PackageReference Remove="Compress.Tasks" />""", "<PackageId>TorchSharp</PackageId><Nullable>disable</Nullable>", folder);
        library.Write("TorchSharp.cs", File.ReadAllText(Path.Combine(TestRun.Repository, "tests", "Build.Tests", "TorchSharp", "TorchSharp.cs")));
        library.Run("pack", "-c", "Debug").MustSucceed();
        using var app = new TestProject(
            "App",
            """<PackageReference Include="TorchSharp" Version="1.0.0" /><CompressedModel Include="tiny.safetensors" />""",
            "<TreatWarningsAsErrors>true</TreatWarningsAsErrors><RestoreAdditionalProjectSources>../TorchSharp/bin/Debug</RestoreAdditionalProjectSources>",
            folder);
        app.Write("Uses.cs", Uses);
        Weights.Write(app.PathOf("tiny.safetensors"));
        Assert.Empty(app.Build().MustSucceed().Warnings);
        Assert.Contains("CS0234", app.Build("-p:CompressTorchSharp=false").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void TS_02_AreNotAddedElsewhere()
    {
        using var project = new TestProject("Plain", "", "", folder);
        project.Write("Uses.cs", Uses);
        Assert.Contains("CS0234", project.Build().Output, StringComparison.Ordinal);
    }
}
