using System.Globalization;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>The gate <c>relativeError</c>: ‖W − Ŵ‖ / ‖W‖ over all compressed layers together.</summary>
internal static class RelativeErrorGate
{
    private const int LayersNamed = 3;

    /// <summary>Fails if the error is greater than the recipe allows, naming the layers that add most.</summary>
    /// <exception cref="CompressException">The gate is closed.</exception>
    public static void Check(Recipe recipe, IEnumerable<TensorResult> results)
    {
        if (recipe.Gate?.RelativeError is not { } allowed)
        {
            return;
        }

        var compressed = results.Where(result => result.Cache != CacheUse.Kept).ToList();
        var total = compressed.Aggregate(default(Caching.ErrorSums), (sum, result) => sum + result.Error);
        double measured = Math.Sqrt(total.RelativeMse);
        if (measured <= allowed)
        {
            return;
        }

        var worst = compressed
            .OrderByDescending(result => result.Error.ErrorEnergy)
            .Take(LayersNamed)
            .Select(result => string.Create(CultureInfo.InvariantCulture,
                $"{result.Entry.Name} ({result.Error.ErrorEnergy / total.ErrorEnergy:P0} of the error)"));
        throw new CompressException(new Diagnostic(
            Codes.GateFailed,
            Severity.Error,
            string.Create(CultureInfo.InvariantCulture,
                $"the relative error is {measured:0.0000}, the gate allows {allowed:0.0000}; give more bits to the layers that add most: {string.Join(", ", worst)}"),
            recipe.File,
            recipe.Gate.RelativeErrorPosition.Line,
            recipe.Gate.RelativeErrorPosition.Column));
    }
}
