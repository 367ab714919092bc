extern alias runtime;

using System.Reflection;
using System.Runtime.Loader;
using Compress.Core.Models.Formats;
using Compress.Runtime.Safetensors;
using Compress.Tasks.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Compress.Build.Tests.Loader;

/// <summary>Emits loaders and compiles them as an app with every warning on would, in the oldest C# that is supported.</summary>
internal static class GeneratedLoader
{
    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || path.EndsWith("netstandard.dll", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
        MetadataReference.CreateFromFile(typeof(runtime::Compress.Runtime.PackedModel).Assembly.Location),
    ];

    /// <summary>A request for tensors of shape [1, 2] F32 with these names.</summary>
    public static LoaderRequest Request(params IEnumerable<string> names) =>
        Request([.. names.Select(name => (name, DType.F32, new long[] { 1, 2 }))]);

    public static LoaderRequest Request(params IReadOnlyList<(string Name, DType DType, long[] Shape)> tensors) => new(
        new ModelHeader(
            [.. tensors.OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => new ModelTensor(t.Name, t.DType, t.Shape, "/m.safetensors", 0, 0))],
            ["/m.safetensors"]),
        "App", "Stories", IsPublic: true, ResourceName: null, "stories.safetensors", "1.0.0");

    /// <summary>What the compiler says of the text: everything but hidden hints.</summary>
    public static IReadOnlyList<Diagnostic> Diagnostics(string text, NullableContextOptions nullable = NullableContextOptions.Enable) =>
        [.. Compile(text, nullable).GetDiagnostics().Where(d => d.Severity != DiagnosticSeverity.Hidden)];

    /// <summary>The class, compiled and loaded.</summary>
    public static Type Load(LoaderRequest request, params IEnumerable<ResourceDescription> resources)
    {
        var compilation = Compile(LoaderEmitter.Emit(request), NullableContextOptions.Enable);
        using var image = new MemoryStream();
        var result = compilation.Emit(image, manifestResources: resources);
        Assert.Empty(result.Diagnostics.Where(d => d.Severity != DiagnosticSeverity.Hidden));
        image.Position = 0;
        var assembly = new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(image);
        return assembly.GetType($"{request.Namespace}.{request.ClassName}".TrimStart('.'), throwOnError: true)!;
    }

    /// <summary>Calls a static method and lets its own exceptions through.</summary>
    public static object Call(this Type type, string method, params object[] arguments)
    {
        var info = type.GetMethod(method, [.. arguments.Select(a => a.GetType())])!;
        return info.Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
    }

    /// <summary>Walks from an object: property names, and numbers for indexers.</summary>
    public static object? Walk(object? from, params IEnumerable<object> path)
    {
        foreach (object step in path)
        {
            var property = step is int
                ? from!.GetType().GetProperty("Item", [typeof(int)])
                : from!.GetType().GetProperty((string)step, BindingFlags.Public | BindingFlags.Instance);
            Assert.True(property is not null, $"{from.GetType().Name} has no {step}");
            from = property.GetValue(from, BindingFlags.DoNotWrapExceptions, null, step is int ? [step] : null, null);
        }

        return from;
    }

    private static CSharpCompilation Compile(string text, NullableContextOptions nullable) => CSharpCompilation.Create(
        "Generated",
        [CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.CSharp8, DocumentationMode.Diagnose))],
        References,
        new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: nullable, warningLevel: 9999, generalDiagnosticOption: ReportDiagnostic.Error));
}
