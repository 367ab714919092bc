namespace Compress.Build.Tests.Infra;

/// <summary>
/// A library for two frameworks. Its class needs Compress.Runtime, which is for net10.0: the second framework is the same one for
/// another platform.
/// </summary>
public sealed class TwoFrameworks : IDisposable
{
    public TwoFrameworks()
    {
        Library = new TestProject("Library", """<CompressedModel Include="tiny.safetensors" />""", """
            <TargetFramework></TargetFramework>
            <TargetFrameworks>net10.0;net10.0-windows</TargetFrameworks>
            <EnableWindowsTargeting>true</EnableWindowsTargeting>
            <DisableTransitiveFrameworkReferenceDownloads>true</DisableTransitiveFrameworkReferenceDownloads>
            """);
        Weights.Write(Library.PathOf("tiny.safetensors"));
        Library.Write("Class.cs", "namespace Library; static class Class { public static Tiny Get() => Tiny.Load(); }");
    }

    internal TestProject Library { get; }

    public void Dispose() => Library.Dispose();
}
