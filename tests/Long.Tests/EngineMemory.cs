using System.Globalization;

namespace Compress.LongTests;

/// <summary>Watches processes of the engine while a build runs, and remembers their peaks of resident memory. On Linux; elsewhere it sees nothing.</summary>
internal sealed class EngineMemory : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Task watching;
    private long peak;

    public EngineMemory() => watching = Task.Run(Watch);

    /// <summary>In bytes: VmHWM, which only grows, as last seen of the greatest.</summary>
    public long Peak()
    {
        stop.Cancel();
        watching.Wait();
        return peak;
    }

    public void Dispose()
    {
        Peak();
        stop.Dispose();
    }

    private void Watch()
    {
        while (!stop.IsCancellationRequested)
        {
            foreach (string process in Directory.Exists("/proc") ? Directory.GetDirectories("/proc").Where(name => char.IsAsciiDigit(name[6])) : [])
            {
                try
                {
                    if (File.ReadAllText(process + "/cmdline").Contains("compress.dll\0msbuild", StringComparison.Ordinal))
                    {
                        string line = File.ReadLines(process + "/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
                        long kilobytes = long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
                        peak = Math.Max(peak, kilobytes * 1024);
                    }
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidOperationException)
                {
                    // It has ended meanwhile.
                }
            }

            stop.Token.WaitHandle.WaitOne(50);
        }
    }
}
