using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using Compress.Build.Tests.Infra;
using Compress.Tasks;
using Microsoft.Build.Framework;

namespace Compress.Build.Tests.Checklist;

/// <summary>Several frameworks, configurations and runtimes: each model is compressed once, with the cores that are granted.</summary>
public sealed class Parallelism(SmallApp small, TwoFrameworks two) : IClassFixture<SmallApp>, IClassFixture<TwoFrameworks>
{
    private readonly TestProject app = small.Reset();

    [Fact]
    public void PAR_01_ModelIsCompressedOnceForAllFrameworks()
    {
        two.Library.Build().MustSucceed();
        var build = two.Library.Build("-t:Rebuild", "-m:2").MustSucceed();
        Assert.Equal(2, build.Compilations);
        Assert.Equal(1, build.EngineRuns);
        Assert.Equal(2, two.Library.Files("bin", "Library.dll").Count);
    }

    [Fact]
    public void PAR_02_ConfigurationsAndRuntimesShareThePackedFile()
    {
        app.Build().MustSucceed();
        Assert.Equal(0, app.Build("-c", "Release").MustSucceed().EngineRuns);
        Assert.Equal(0, app.Build("-r", RuntimeInformation.RuntimeIdentifier).MustSucceed().EngineRuns);
        app.Restore(); // the assets are for that runtime now
        Assert.Single(app.PackedFiles);
    }

    [Fact]
    public void PAR_03_IsolatedGraphBuilds()
    {
        app.Build().MustSucceed();
        File.Delete(app.PackedFiles[0]);
        Assert.Equal(1, app.Build("-graph", "-isolate").MustSucceed().EngineRuns);
        Assert.StartsWith("64x64|", app.RunApp());
    }

    [Fact]
    public void PAR_04_MultithreadedBuildsRunOurTasksInProcess()
    {
        app.Build().MustSucceed();
        File.Delete(app.PackedFiles[0]);
        File.Delete(Assert.Single(app.Files("obj/Debug/net10.0/compress", "App.Tiny.g.cs")));
        var build = app.Build("-mt").MustSucceed();
        Assert.Equal(["CompressResolveModels", "CompressRunEngine", "CompressPlaceModels", "CompressGenerateLoaders"], build.OurTasks);
        Assert.NotEmpty(build.TasksInOtherProcesses); // the SDK's
        Assert.DoesNotContain(build.TasksInOtherProcesses, name => name.StartsWith("Compress", StringComparison.Ordinal));
    }

    // In a multithreaded build the current folder is where the build was started, whatever project a task is of.
    [Fact]
    public void PAR_05_NothingDependsOnTheCurrentFolder()
    {
        app.Build().MustSucceed();
        string decoy = Directory.CreateDirectory(Path.Combine(app.Solution, "decoy", "Models")).Parent!.FullName;
        File.WriteAllText(Path.Combine(decoy, SmallApp.Model), "no model");
        string[] before = Files();
        File.Delete(app.PackedFiles[0]);
        File.Delete(Assert.Single(app.Files("obj/Debug/net10.0/compress", "App.Tiny.g.cs")));

        app.StartedIn = decoy;
        try
        {
            Assert.Equal(1, app.Build("-mt", "-p:CompressIntermediateDir=obj/compress/App/").MustSucceed().EngineRuns);
        }
        finally
        {
            app.StartedIn = app.Solution;
        }

        Assert.Single(app.PackedFiles);
        Assert.Single(app.Files("obj/Debug/net10.0/compress", "App.Tiny.g.cs"));
        Assert.Equal(before, Files());

        string[] Files() => Directory.GetFiles(decoy, "*", SearchOption.AllDirectories);
    }

    [Fact]
    public void PAR_06_NoTwoTasksWriteTheSameFile()
    {
        var build = two.Library.Build("-t:Rebuild", "-m:2", "-check").MustSucceed();
        Assert.Equal(1, build.EngineRuns);
        Assert.DoesNotContain(build.Warnings, warning => warning.Code is "BC0101" or "BC0102");
    }

    [Fact]
    public void PAR_09_EngineUsesTheCoresThatItIsGranted()
    {
        Assert.Equal(1, Threads("-p:CompressMaxParallelism=1"));
        Assert.InRange(Threads("-p:CompressMaxParallelism=1000"), 1, Environment.ProcessorCount);

        int Threads(string most)
        {
            app.Build("-p:CompressForce=true", most).MustSucceed();
            using var request = JsonDocument.Parse(app.Read(Assert.Single(app.Files("obj/compress", "*.request.json"))));
            return request.RootElement.GetProperty("threads").GetInt32();
        }
    }

    [Fact]
    public void PAR_09_CoresAreGivenBack()
    {
        var engine = Cores.Of(granted: 3);
        using (var cores = new GrantedCores(engine, 16))
        {
            Assert.Equal(3, cores.Count);
            Assert.Equal(["RequestCores 16"], ((Cores)(object)engine).Calls);
        }

        Assert.Equal(["RequestCores 16", "ReleaseCores 3"], ((Cores)(object)engine).Calls);
    }

    // as task hosts do
    [Fact]
    public void PAR_09_HostsWithoutCoresGrantWhatIsWanted()
    {
        var engine = Cores.Of(granted: null);
        using (var cores = new GrantedCores(engine, 16))
        {
            Assert.Equal(16, cores.Count);
        }

        Assert.Equal(["RequestCores 16"], ((Cores)(object)engine).Calls);
    }

    /// <summary>An engine that grants some cores, or does not know of any.</summary>
    public class Cores : DispatchProxy
    {
        private int? granted;

        public List<string> Calls { get; } = [];

        internal static IBuildEngine9 Of(int? granted)
        {
            var engine = Create<IBuildEngine9, Cores>();
            ((Cores)(object)engine).granted = granted;
            return engine;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Calls.Add($"{targetMethod!.Name} {args![0]}");
            return targetMethod.ReturnType == typeof(void) ? null : granted ?? throw new NotImplementedException();
        }
    }
}
