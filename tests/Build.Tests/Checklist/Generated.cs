using System.Globalization;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>GEN: generated classes in a project that tolerates no warning. What they do with odd tensors is for the tests of the loader to show.</summary>
public sealed class Generated(Generated.StrictApp strict, Generated.BigApp big) : IClassFixture<Generated.StrictApp>, IClassFixture<Generated.BigApp>
{
    private readonly TestProject app = strict.App;

    [Fact]
    public void GEN_01_CompilesWithoutAWarningWhateverIsSwitchedOn() => Assert.Empty(app.Build("-t:Rebuild").MustSucceed().Warnings);

    [Fact]
    public void GEN_02_AccessNamespaceAndNameAreWhatTheItemSays()
    {
        app.Build().MustSucceed();
        Assert.Equal(
            [
                "Strict.Tiny internal sealed, 3 tensors",
                "Some.namespace.class public sealed, 3 tensors",
                "Strict._7bChatV1_2 internal sealed, 3 tensors",
                "3 from the user's part of Tiny",
            ],
            app.RunApp().Split(Environment.NewLine));
    }

    [Fact]
    public void GEN_03_FileIsPlainAndOnlyWrittenWhenItsTextChanges()
    {
        app.Build().MustSucceed();
        string[] files = [.. app.Files("obj/Debug/net10.0/compress", "*.g.cs").Order(StringComparer.Ordinal)];
        Assert.Equal(["Some.namespace.class.g.cs", "Strict.Tiny.g.cs", "Strict._7bChatV1_2.g.cs"], files.Select(Path.GetFileName));
        Assert.All(files, file =>
        {
            byte[] bytes = File.ReadAllBytes(file);
            Assert.NotEqual(0xEF, bytes[0]);
            Assert.DoesNotContain((byte)'\r', bytes);
            Assert.Contains("GeneratedCode(\"Compress.Tasks\", \"1.0\")", File.ReadAllText(file)); // a patch of the package recompiles nothing
        });

        DateTime[] before = [.. files.Select(File.GetLastWriteTimeUtc)];
        Weights.Write(app.PathOf("tiny.safetensors"), seed: 7);
        var build = app.Build().MustSucceed();
        Assert.Equal(1, build.EngineRuns);
        Assert.Equal(before, files.Select(File.GetLastWriteTimeUtc));
    }

    [Fact]
    public void GEN_05_OpeningReadsNoWeights()
    {
        long[] printed = [.. big.App.RunApp().Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture))];
        Assert.InRange(printed[0], 0, 100_000); // bytes allocated
        Assert.InRange(printed[1], long.MinValue, BigApp.Bytes / 4); // bytes resident: the code, and pages around the header
        Assert.Equal(BigApp.Side, printed[2]);
    }

    [Fact]
    public void GEN_06_WeightsAreAResourceAndNotText()
    {
        Assert.True(new FileInfo(big.App.PathOf("bin/Debug/net10.0/Big.dll")).Length > BigApp.Bytes);
        string text = big.App.Read(Assert.Single(big.App.Files("obj/Debug", "Big.Big.g.cs")));
        Assert.InRange(text.Length, 1, 10_000);
    }

    /// <summary>An app with 64 MiB of weights that are kept as they are.</summary>
    public sealed class BigApp : IDisposable
    {
        internal const int Side = 4096;
        internal const long Bytes = 4L * Side * Side;

        public BigApp()
        {
            App = new TestProject("Big", """<CompressedModel Include="big.safetensors" />""");
            Weights.Write(App.PathOf("big.safetensors"), ("w", [Side, Side], new float[Side * Side]));
            App.Write("compress.yaml", "keep: source\n");
            App.Write("Program.cs", """
                long resident = Resident();
                Big.Big.Load().Dispose(); // compiled, once
                long allocated = GC.GetAllocatedBytesForCurrentThread();
                using var model = Big.Big.Load();
                allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
                Console.Write($"{allocated} {Resident() - resident} {model.W.Shape[0]}");

                static long Resident() => File.Exists("/proc/self/statm") ? long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize : 0;
                """);
            App.Build().MustSucceed();
        }

        internal TestProject App { get; }

        public void Dispose() => App.Dispose();
    }

    /// <summary>An app with all that an analyzer can find fault with switched on, and three models.</summary>
    public sealed class StrictApp : IDisposable
    {
        public StrictApp()
        {
            App = new TestProject(
                "Strict",
                """
                <CompressedModel Include="tiny.safetensors" />
                <CompressedModel Include="class.safetensors" Namespace="Some.namespace" ClassName="class" Access="Public" />
                <CompressedModel Include="7b chat-v1.2.safetensors" />
                """,
                """
                <OutputType>Exe</OutputType>
                <Nullable>enable</Nullable>
                <GenerateDocumentationFile>true</GenerateDocumentationFile>
                <AnalysisMode>All</AnalysisMode>
                <EnforceCodeStyleInBuild>true</EnforceCodeStyleInBuild>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <InvariantGlobalization>true</InvariantGlobalization>
                <NoWarn>$(NoWarn);CA1303;CA1515</NoWarn>
                """);
            foreach (string file in new[] { "tiny", "class", "7b chat-v1.2" })
            {
                Weights.Write(App.PathOf(file + ".safetensors"));
            }

            App.Write("Program.cs", """
                using var tiny = Strict.Tiny.Load();
                using var other = Some.@namespace.@class.Load();
                using var chat = Strict._7bChatV1_2.Load();
                Tell(tiny.GetType(), tiny.Names.Count);
                Tell(other.GetType(), other.Names.Count);
                Tell(chat.GetType(), chat.Names.Count);
                Console.WriteLine($"{tiny.Tensors} from the user's part of Tiny");

                static void Tell(Type type, int tensors) =>
                    Console.WriteLine($"{type.FullName} {(type.IsPublic ? "public" : "internal")} {(type.IsSealed ? "sealed" : "open")}, {tensors} tensors");
                """);
            App.Write("Tiny.cs", """
                namespace Strict;

                internal sealed partial class Tiny
                {
                    public int Tensors => Names.Count;
                }
                """);
        }

        internal TestProject App { get; }

        public void Dispose() => App.Dispose();
    }
}
