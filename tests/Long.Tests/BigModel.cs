using System.Diagnostics;
using System.Globalization;
using Compress.Build.Tests.Infra;
using Xunit.Abstractions;

namespace Compress.LongTests;

/// <summary>
/// A model of 8 GiB, in a file that takes little room on the disk: each layer begins with numbers of its own and goes on with zeros. A build packs it,
/// past the limit for embedding, and an app maps it.
/// </summary>
public sealed class BigModel(ITestOutputHelper output)
{
    private const int Layers = 512;
    private const int Side = 2048; // 16 MiB of F32
    private const int Seed = 8;
    private const long LayerBytes = 4L * Side * Side;
    private const long MostBytes = 2L << 30;

    [Fact]
    public void NeedsLittleMemoryAtASteadyRateAndIsMappedByTheApp()
    {
        using var app = new TestProject("App", """<CompressedModel Include="big.safetensors" />""");
        app.Write("Program.cs", """
            using System.Globalization;
            using var model = App.Big.Load();
            var last = model.Packed["layers.511.weight"];
            float[] rows = new float[2 * 2048];
            last.DequantizeRows(0, 2, rows);
            double first = Math.Sqrt(rows.Take(2048).Sum(x => (double)x * x)), second = rows.Skip(2048).Sum(Math.Abs);
            string memory = File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmHWM")).Split([' ', '\t'])[^2] : "0";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model.Packed.Names.Count} {first} {second} {memory}"));
            """);
        double norm = SparseModel.Write(app.PathOf("big.safetensors"), Layers, Side, Seed);
        app.Restore();

        var clock = Stopwatch.StartNew();
        using var engine = new EngineMemory();
        app.Build("-c", "Release").MustSucceed();
        var seconds = clock.Elapsed.TotalSeconds;
        long peak = engine.Peak();

        string beside = Assert.Single(app.Files("bin", "*.packed.safetensors"));
        long packed = new FileInfo(beside).Length;
        Assert.InRange(packed, 1L << 30, 2L << 30);
        Assert.True(new FileInfo(Path.Combine(Path.GetDirectoryName(beside)!, "App.dll")).Length < 1 << 20, "the model is embedded");

        double[] milliseconds = [.. app.Report().GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("milliseconds").GetDouble())];
        Assert.Equal(Layers, milliseconds.Length);
        double head = milliseconds.Take(Layers / 4).Sum(), tail = milliseconds.Skip(Layers * 3 / 4).Sum(); // equal layers are taken by name

        string[] said = app.RunApp("bin/Release/net10.0").Split(' ');
        double[] numbers = [.. said.Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Layers} layers of {Side} x {Side}, {Layers * LayerBytes:N0} bytes (seed {Seed}) packed to {packed:N0}; the build took {seconds:0} s; "
            + $"engine's peak of resident memory {peak / 1e6:N0} MB; first quarter of the layers {Layers / 4 / head * 1e3:0.0} layers/s a thread, last {Layers / 4 / tail * 1e3:0.0}; "
            + $"app's peak {numbers[3] / 1e3:N0} MB"));
        Assert.InRange(tail / head, 1 / 3.0, 3); // 1 but for what else the machine does
        Assert.Equal(Layers, numbers[0]);
        Assert.Equal(norm, numbers[1], norm * 0.02); // HIGGS keeps norms within its error
        Assert.InRange(numbers[2], 0, norm); // a row of zeros but for numerical noise
        if (OperatingSystem.IsLinux())
        {
            Assert.InRange(peak, 1, MostBytes);
            Assert.InRange(numbers[3] * 1e3, 1, 300e6);
        }
    }
}
