namespace Compress.Bench;

/// <summary>The most managed memory that is in use from now on, garbage included; looked at a hundred times a second.</summary>
internal sealed class PeakHeap : IDisposable
{
    private readonly Timer timer;
    private long bytes = GC.GetTotalMemory(forceFullCollection: false);

    public PeakHeap() => timer = new Timer(_ => Look(), null, 0, 10);

    /// <summary>Bytes.</summary>
    public long Bytes
    {
        get
        {
            Look();
            return Interlocked.Read(ref bytes);
        }
    }

    public void Dispose() => timer.Dispose();

    private void Look()
    {
        long now = GC.GetTotalMemory(forceFullCollection: false), before;
        while (now > (before = Interlocked.Read(ref bytes)) && Interlocked.CompareExchange(ref bytes, now, before) != before)
        {
        }
    }
}
