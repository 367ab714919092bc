using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>Several projects and processes: each model is compressed once, and no one waits for nothing.</summary>
public sealed class ManyProjects(FiveProjects five) : IClassFixture<FiveProjects>
{
    [Fact]
    public void PAR_07_ProjectsOfOneBuildComputeEachLayerOnce()
    {
        five.Forget();
        Assert.Equal(5, five.First.Build("-m:2").MustSucceed().EngineRuns);
        Assert.Equal(2, FiveProjects.Computed([five.First, .. five.Others]));
    }

    [Fact]
    public void PAR_08_BuildsAtTheSameTimeComputeEachLayerOnce()
    {
        TestProject[] pair = [five.Others[0], five.Others[1]];
        five.Forget();
        Parallel.ForEach(pair, project => project.Build().MustSucceed());
        Assert.Equal(2, FiveProjects.Computed(pair));
        Assert.Equal(File.ReadAllBytes(pair[0].PackedFiles[0]), File.ReadAllBytes(pair[1].PackedFiles[0]));
    }

    // Each engine waits until three projects of the build have come as far, and there are two nodes. MSBuild lets others in as far as there
    // are more nodes than one, and cores that no task has been granted.
    [Fact]
    public void PAR_10_NodeIsFreeForOtherProjectsWhileTheEngineRuns()
    {
        five.Forget();
        string started = Directory.CreateDirectory(Path.Combine(five.First.Solution, "started")).FullName;
        string mark = Path.Combine(five.First.Solution, "Directory.Build.targets");
        File.WriteAllText(mark, """
            <Project>
              <Target Name="Mark" BeforeTargets="CompressModels"><Touch Files="../started/$(MSBuildProjectName)" AlwaysCreate="true" /></Target>
            </Project>
            """);
        try
        {
            ScriptedEngine.AwaitThreeFiles(five.First, started);
            Assert.Equal(5, five.First.Build("-m:2", "-p:CompressMaxParallelism=1", ScriptedEngine.Argument).MustSucceed().EngineRuns);
        }
        finally
        {
            five.First.Environment.Clear();
            File.Delete(mark);
        }
    }
}
