namespace Compress.Runtime;

/// <summary>Settings of the whole process.</summary>
public static class RuntimeOptions
{
    private static int maxThreads = Environment.ProcessorCount;

    /// <summary>
    /// The most threads that one multiplication uses; the default is the number of processors.
    /// Results do not depend on it. Small products always run on the calling thread alone.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public static int MaxThreads
    {
        get => maxThreads;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            maxThreads = value;
        }
    }
}
