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
    private static readonly CSharpParseOptions Options = new(LanguageVersion.CSharp8, DocumentationMode.Diagnose);

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

    /// <summary>The class, compiled (with code of an app, if given) and loaded.</summary>
    public static Type Load(LoaderRequest request, string app = "", params IEnumerable<ResourceDescription> resources)
    {
        var compilation = Compile(LoaderEmitter.Emit(request), NullableContextOptions.Enable)
            .AddSyntaxTrees(CSharpSyntaxTree.ParseText(app, Options.WithDocumentationMode(DocumentationMode.None)));
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

    /// <summary>Every tensor that properties and indexers lead to, by the path of members.</summary>
    public static IEnumerable<(string Path, runtime::Compress.Runtime.PackedTensor Tensor)> Reach(object node, string path = "")
    {
        foreach (var property in node.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            IEnumerable<(string Step, object? Value)> values = property switch
            {
                { Name: "Packed" or "Names" or "Count" or "Numbers" } => [],
                { Name: "Item" } when property.GetIndexParameters()[0].ParameterType == typeof(string) => [],
                { Name: "Item" } => Numbers(node).Select(number => ($"[{number}]", property.GetValue(node, [number]))),
                _ => [("." + property.Name, property.GetValue(node))],
            };
            foreach (var (step, value) in values)
            {
                if (value is runtime::Compress.Runtime.PackedTensor tensor)
                {
                    yield return (path + step, tensor);
                }
                else if (value is not null)
                {
                    foreach (var deeper in Reach(value, path + step))
                    {
                        yield return deeper;
                    }
                }
            }
        }
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

    // The numbers of an indexer; a span cannot be read by reflection, so its array is.
    private static IEnumerable<int> Numbers(object node)
    {
        var numbers = node.GetType().GetField("_numbers", BindingFlags.NonPublic | BindingFlags.Instance);
        return numbers is not null ? (int[])numbers.GetValue(node)! : Enumerable.Range(0, (int)Walk(node, "Count")!);
    }

    private static CSharpCompilation Compile(string text, NullableContextOptions nullable) => CSharpCompilation.Create(
        "Generated",
        [CSharpSyntaxTree.ParseText(text, Options)],
        References,
        new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: nullable, warningLevel: 9999, generalDiagnosticOption: ReportDiagnostic.Error));
}
