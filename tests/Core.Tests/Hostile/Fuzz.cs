using System.Diagnostics;
using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;
using Compress.Tests;
using Xunit.Abstractions;

namespace Compress.Core.Tests.Hostile;

/// <summary>Alone, so that the memory which a mutation takes can be told from that of other tests.</summary>
[CollectionDefinition(nameof(Fuzz), DisableParallelization = true)]
public sealed class FuzzAlone;

/// <summary>Runs one piece of work on many damaged inputs, and holds every run to the same rules.</summary>
internal static class Fuzz
{
    private const long MostBytes = 256L << 20;

    /// <summary>
    /// Damages the input in ways that follow from the seed, and runs the work on each. It may succeed or say in a diagnostic what is wrong. It may not
    /// throw anything else, nor allocate more than 256 MB, even if all of that is freed in between.
    /// </summary>
    /// <param name="output">Receives the counts.</param>
    /// <param name="seed">Where the damages start from.</param>
    /// <param name="original">A good input.</param>
    /// <param name="run">Takes an input. Gives what is wrong with it, or null.</param>
    public static void Mutations(ITestOutputHelper output, int seed, byte[] original, Func<byte[], Diagnostic?> run)
    {
        Assert.Null(run(original));
        var clock = Stopwatch.StartNew();
        var refused = new SortedDictionary<string, int>(StringComparer.Ordinal);
        int succeeded = 0;
        long most = 0;
        for (int i = 0; i < Effort.Mutations; i++)
        {
            byte[] input = Mutation.Of(original, seed + i);
            long before = GC.GetTotalAllocatedBytes();
            try
            {
                if (run(input) is { } diagnostic)
                {
                    Assert.DoesNotContain("CMPR5", diagnostic.Code, StringComparison.Ordinal);
                    Assert.DoesNotContain('\n', diagnostic.ToString());
                    refused[diagnostic.Code] = refused.GetValueOrDefault(diagnostic.Code) + 1;
                }
                else
                {
                    succeeded++;
                }
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed + i}: {exception}\n{Convert.ToBase64String(input)}");
            }

            most = Math.Max(most, GC.GetTotalAllocatedBytes() - before);
            Assert.True(most < MostBytes, $"seed {seed + i}: {most} bytes were allocated\n{Convert.ToBase64String(input)}");
        }

        output.WriteLine(
            $"{Effort.Mutations} mutations, seeds {seed} to {seed + Effort.Mutations - 1}: {succeeded} succeeded, "
            + $"refused with {string.Join(", ", refused.Select(pair => $"{pair.Key}: {pair.Value}"))}; "
            + $"at most {most / 1024} kB allocated for one; {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.True(refused.Values.Sum() > 0, "nothing was damaged");
    }

    /// <summary>Runs something that throws what is wrong with its input.</summary>
    public static Diagnostic? Caught(Action run)
    {
        try
        {
            run();
            return null;
        }
        catch (CompressException exception)
        {
            return exception.Diagnostic;
        }
        catch (ModelFormatException exception)
        {
            return new(Codes.ModelMalformed, Severity.Error, exception.Message, exception.File);
        }
    }
}
