namespace Compress.Tests;

/// <summary>
/// How often the tests that repeat something with other numbers do so. The everyday suite does little of it, Long.Tests the same with more.
/// </summary>
internal static class Effort
{
#if LONG
    public const int Mutations = 10_000;
    public const int Kills = 100;
    public const int Builds = 32;
#else
    public const int Mutations = 500;
    public const int Kills = 8;
    public const int Builds = 4;
#endif
}
