namespace Compress.Core.Diagnostics;

/// <summary>Collects diagnostics, in the order in which they are found. Safe for several threads.</summary>
public sealed class DiagnosticBag
{
    private readonly List<Diagnostic> items = [];

    /// <summary>What has been collected so far.</summary>
    public IReadOnlyList<Diagnostic> Items
    {
        get
        {
            lock (items)
            {
                return [.. items];
            }
        }
    }

    /// <summary>True if any of them is an error.</summary>
    public bool HasErrors => Items.Any(item => item.Severity == Severity.Error);

    /// <summary>Adds one.</summary>
    public void Add(Diagnostic diagnostic)
    {
        lock (items)
        {
            items.Add(diagnostic);
        }
    }
}
