using System.Runtime.InteropServices;

namespace Compress.Cli;

/// <summary>
/// Everything that asks the program to stop: Ctrl+C, SIGTERM, the end of the parent process. The work is cancelled and
/// cleans up after itself; what has not ended within <see cref="Patience"/> is cut off, which leaves nothing half-written
/// either, since all files are written beside their place and renamed.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource source = new();
    private readonly List<IDisposable> registrations = [];
    private Timer? deadline;

    /// <summary>Cancelled when the program has to stop.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>Listens to the signals of this process.</summary>
    public static Interruption Install()
    {
        var interruption = new Interruption();
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            interruption.registrations.Add(PosixSignalRegistration.Create(signal, interruption.OnSignal));
        }

        return interruption;
    }

    /// <summary>Stops when the process of that id ends; at once if there is none.</summary>
    public void StopWithParent(int processId) => _ = Watch(processId);

    /// <summary>Asks the work to stop.</summary>
    public void Stop() => source.Cancel();

    public void Dispose()
    {
        registrations.ForEach(registration => registration.Dispose());
        deadline?.Dispose();
        source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        // The second signal has its default effect: an impatient user is never held.
        context.Cancel = !source.IsCancellationRequested;
        StopSoon();
    }

    private void StopSoon()
    {
        deadline ??= new Timer(_ => Environment.Exit(ExitCodes.Cancelled), null, Patience, Timeout.InfiniteTimeSpan);
        Stop();
    }

    private async Task Watch(int processId)
    {
        try
        {
            using var parent = System.Diagnostics.Process.GetProcessById(processId);
            await parent.WaitForExitAsync(Token).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            // it has ended already
        }
        catch (OperationCanceledException)
        {
            return;
        }

        StopSoon();
    }
}
