using System;
using Microsoft.Build.Framework;

namespace Compress.Tasks;

/// <summary>The processor cores that MSBuild grants a task; gives them back when disposed.</summary>
internal sealed class GrantedCores : IDisposable
{
    private readonly IBuildEngine9? engine;

    /// <summary>Asks for cores. Gets at least one.</summary>
    public GrantedCores(IBuildEngine buildEngine, int wanted)
    {
        try
        {
            engine = buildEngine as IBuildEngine9;
            Count = Math.Max(1, engine?.RequestCores(wanted) ?? wanted);
        }
        catch (NotImplementedException)
        {
            // Task hosts implement the interface without this.
            engine = null;
            Count = wanted;
        }
    }

    /// <summary>How many threads to use.</summary>
    public int Count { get; }

    /// <inheritdoc/>
    public void Dispose() => engine?.ReleaseCores(Count);
}
