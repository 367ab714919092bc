namespace Compress.Build.Tests.Infra;

/// <summary>Five libraries with the same model and one cache; the first references the others.</summary>
public sealed class FiveProjects : IDisposable
{
    public FiveProjects()
    {
        const string Item = """<CompressedModel Include="../shared/one.safetensors" />""";
        First = new TestProject("P0", string.Concat(Enumerable.Range(1, 4).Select(i => $"""<ProjectReference Include="../P{i}/P{i}.csproj" />""")) + Item, "");
        Others = [.. Enumerable.Range(1, 4).Select(i => new TestProject("P" + i, Item, "", First.Solution))];
        Weights.Write(Path.Combine(First.Solution, "shared", "one.safetensors"));
    }

    internal TestProject First { get; }

    internal IReadOnlyList<TestProject> Others { get; }

    /// <summary>Forgets everything that was packed, and what is cached too.</summary>
    internal void Forget()
    {
        foreach (string folder in Others.Append(First).Select(project => project.PathOf("obj/compress")).Append(Path.Combine(First.Solution, "cache")))
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>How many layers were computed for these projects together.</summary>
    internal static int Computed(IEnumerable<TestProject> projects) => projects.Sum(project => project.Report().GetProperty("cacheMisses").GetInt32());

    public void Dispose() => First.Dispose();
}
