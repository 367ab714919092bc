using Compress.Core.Compression;

namespace Compress.Cli.Console;

/// <summary>Progress as plain lines, for logs: one each interval at most, and none for work that is quicker than that.</summary>
/// <param name="writer">Receives the lines.</param>
/// <param name="prefix">Begins each line.</param>
/// <param name="interval">The least time between two lines, and before the first.</param>
/// <param name="clock">The clock.</param>
internal sealed class ProgressLines(TextWriter writer, string prefix, TimeSpan interval, TimeProvider clock) : IProgress<CompressionProgress>
{
    /// <summary>Added while another process encodes what is left.</summary>
    public const string Waiting = "; another build is encoding the rest";

    private readonly Lock gate = new();
    private long last = clock.GetTimestamp();

    public void Report(CompressionProgress value)
    {
        lock (gate)
        {
            if (clock.GetElapsedTime(last) < interval)
            {
                return;
            }

            last = clock.GetTimestamp();
            writer.WriteLine($"{prefix}: {value.LayersDone}/{value.LayersTotal} layers, {value.CacheHits} cached{(value.Waiting ? Waiting : "")}");
        }
    }
}
