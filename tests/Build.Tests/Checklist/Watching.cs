using System.Diagnostics;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary><c>dotnet watch</c>.</summary>
public sealed class Watching(SmallApp small) : IClassFixture<SmallApp>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly TestProject app = small.Reset();

    [Fact]
    public void WAT_01_ModelAndRecipeAreWatched()
    {
        using var library = new TestProject("Library", """<CompressedModel Include="Models/tiny.safetensors;folder" />""", "");
        string[] models = [library.PathOf("Models/tiny.safetensors"), library.PathOf("folder/one.safetensors"), library.PathOf("folder/two.safetensors")];
        string[] recipes = [library.PathOf("Models/compress.yaml"), library.PathOf("folder.compress.yaml")];
        Array.ForEach(models, model => Weights.Write(model, (Weights.Norm, [64], new float[64])));
        Array.ForEach(recipes, recipe => File.WriteAllText(recipe, "version: 1\n"));
        library.Restore();

        string[] files = Tool.Run("dotnet", ["watch", "--list", "--project", library.ProjectFile], library.Folder, TestRun.Current.Packages)
            .Output.Split('\n', StringSplitOptions.TrimEntries);
        Assert.All([.. models, .. recipes], file => Assert.Contains(file, files));
        Assert.DoesNotContain(files, file => file.EndsWith("tiny.compress.yaml", StringComparison.Ordinal)); // does not exist
    }

    [Fact]
    public async Task WAT_01_EditedRecipeIsBuiltAgain()
    {
        app.Build().MustSucceed();
        string packed = Assert.Single(app.PackedFiles);
        long before = new FileInfo(packed).Length;
        var start = Tool.Start("dotnet", ["watch", "--project", app.ProjectFile, "--non-interactive", "build", "--no-restore"], app.Folder, TestRun.Current.Packages);
        using var watch = Process.Start(start)!;
        try
        {
            Assert.True(await Says(watch, "Waiting for a file to change").WaitAsync(Patience));
            app.Write(SmallApp.Recipe, SmallApp.Rules.Replace("bits: 4", "bits: 3"));
            var clock = Stopwatch.StartNew();
            while (new FileInfo(packed).Length == before && clock.Elapsed < Patience)
            {
                await Task.Delay(100);
            }

            Assert.NotEqual(before, new FileInfo(packed).Length);
        }
        finally
        {
            watch.Kill(entireProcessTree: true);
            await watch.WaitForExitAsync();
        }
    }

    private static Task<bool> Says(Process process, string text)
    {
        var said = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        DataReceivedEventHandler look = (_, line) => _ = line.Data is null ? said.TrySetResult(false) : line.Data.Contains(text, StringComparison.Ordinal) && said.TrySetResult(true);
        process.OutputDataReceived += look;
        process.ErrorDataReceived += look;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return said.Task;
    }
}
