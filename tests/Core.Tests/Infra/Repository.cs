namespace Compress.Core.Tests.Infra;

/// <summary>Files of the repository that tests hold against the code: documents and the schema.</summary>
internal static class Repository
{
    private static readonly string Root = Find(AppContext.BaseDirectory);

    public static string PathOf(string file) => Path.Combine(Root, file);

    public static string Read(string file) => File.ReadAllText(PathOf(file));

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Compress.Tasks.sln")) ? folder : Find(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(folder))!);
}
