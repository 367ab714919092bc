using System.Numerics.Tensors;
using Compress.Runtime;
using Compress.Runtime.Kernels;
using Compress.Runtime.Tests.Infra;

namespace Compress.Bench;
internal static class MultiplyBench
{
    public static void Run(string[] args)
    {
        RuntimeOptions.MaxThreads = 1;
        const int N = 4096;
        var random = new Random(1);
        float[] dense = new float[N * N], x = new float[N], y = new float[N];
        for (int i = 0; i < dense.Length; i++) dense[i] = (float)random.NextDouble() - 0.5f;
        for (int i = 0; i < x.Length; i++) x[i] = (float)random.NextDouble() - 0.5f;
        var dot = Timing.Measure(() => { for (int r = 0; r < N; r++) y[r] = TensorPrimitives.Dot(dense.AsSpan(r * N, N), x); });
        Console.WriteLine($"dot {dot.Min * 1e3:f3} ms {N * (double)N / dot.Min / 1e9:f2} Gw/s");
        foreach (string k in args.Length > 0 ? args : [Kernel.Best.Name])
        {
            var kernel = Kernel.Choose(k);
            Console.WriteLine(kernel.Name);
            foreach (var (name, s) in (Environment.GetEnvironmentVariable("ONLY") is { } only ? (x => x.Where(e => e.Item1 == only).ToArray()) : new Func<(string, PackedSample)[], (string, PackedSample)[]>(x => x))( new (string, PackedSample)[] {
                ("p1n16", PackedSample.Higgs(N, N, 1, 16, 1024)), ("p1n8", PackedSample.Higgs(N, N, 1, 8, 1024)), ("p1n4", PackedSample.Higgs(N, N, 1, 4, 1024)),
                ("p1n2", PackedSample.Higgs(N, N, 1, 2, 1024)), ("p2n16", PackedSample.Higgs(N, N, 2, 16, 1024)),
                ("p2n64", PackedSample.Higgs(N, N, 2, 64, 1024)), ("p2n256", PackedSample.Higgs(N, N, 2, 256, 1024)),
                ("p1n32", PackedSample.Higgs(N, N, 1, 32, 1024)), ("p1n256", PackedSample.Higgs(N, N, 1, 256, 1024)),
                ("u8", PackedSample.Uniform(N, N, 8, false)), ("u4", PackedSample.Uniform(N, N, 4, false)), ("u6", PackedSample.Uniform(N, N, 6, true)), }))
            {
                var t = s.Open(kernel);
                var m = Timing.Measure(() => t.Multiply(x, y), 60);
                t.Dequantize(dense);
                double err = 0;
                for (int r = 0; r < N; r++) { double d = 0, a = 0; for (int c = 0; c < N; c++) { double q = (double)dense[r * N + c] * x[c]; d += q; a += Math.Abs(q); } err = Math.Max(err, Math.Abs(d - y[r]) / a); }
                var dq = Timing.Measure(() => t.DequantizeRows(0, 512, dense), 7, 0.2);
                float[] xb = new float[N * 16], yb = new float[N * 16];
                for (int b = 0; b < 16; b++) x.CopyTo(xb.AsSpan(b * N));
                var mb = Timing.Measure(() => t.Multiply(xb, yb, 16), 3, 0.2);
                Console.WriteLine($"{name,-8} {m.Min * 1e3:f3} ms {N * (double)N / m.Min / 1e9:f2} Gw/s  {dot.Min / m.Min:f2}x  err {err:e1}  deq {512.0 * N / dq.Min / 1e9:f2} Gw/s  batch16 {16 * N * (double)N / mb.Min / 1e9:f1} GMAC/s");
            }
        }
    }
}
