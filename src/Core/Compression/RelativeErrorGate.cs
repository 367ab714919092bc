using System.Globalization;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>The gate <c>relativeError</c>: ‖W − Ŵ‖ / ‖W‖ over all compressed layers together.</summary>
internal static class RelativeErrorGate
{
    private const int LayersNamed = 3;

    /// <summary>Says so if the error is greater than the recipe allows, naming the layers that add most.</summary>
    public static Diagnostic? Check(Recipe recipe, IEnumerable<TensorResult> results)
    {
        if (recipe.Gate is not { RelativeError: { } limit } gate)
        {
            return null;
        }

        var compressed = results.Where(result => result.Cache != CacheUse.Kept).ToList();
        var total = compressed.Aggregate(default(Caching.ErrorSums), (sum, result) => sum + result.Error);
        double measured = Math.Sqrt(total.RelativeMse);
        if (measured <= limit.Value)
        {
            return null;
        }

        var worst = compressed
            .OrderByDescending(result => result.Error.ErrorEnergy)
            .Take(LayersNamed)
            .Select(result => string.Create(CultureInfo.InvariantCulture,
                $"{result.Entry.Name} ({result.Error.ErrorEnergy / total.ErrorEnergy:P0} of the error)"));
        return new Diagnostic(
            Codes.GateFailed,
            gate.Severity,
            string.Create(CultureInfo.InvariantCulture,
                $"the relative error is {measured:0.0000}, the gate allows {limit.Value:0.0000}; give more bits to the layers that add most: {string.Join(", ", worst)}"),
            recipe.File,
            limit.Position.Line,
            limit.Position.Column);
    }
}
