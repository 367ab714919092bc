using System.Globalization;
using Compress.Core.Codecs.LowRank;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Compression;

/// <summary>Tells of ranks that a matrix cannot have, and of those with which factors hold more numbers than the matrix.</summary>
internal static class RankLimits
{
    /// <summary>Checks the tensors of a plan: one error or warning for each place in the recipe, with the first tensor that it is about.</summary>
    public static void Check(Recipe recipe, IReadOnlyList<LayerPlan> plans, DiagnosticBag diagnostics)
    {
        var told = new HashSet<(Position, Severity)>();
        foreach (var plan in plans)
        {
            var options = plan.Treatment is Treatment.Choose choose ? choose.Options : [plan.Treatment];
            foreach (var option in options.OfType<Treatment.Compress>())
            {
                if (option.Encoder is LowRankEncoder { LowRank: { Rank: { } rank } settings } && Find(plan.Tensor.Shape, rank, settings) is var (severity, message)
                    && told.Add((settings.Position, severity)))
                {
                    diagnostics.Add(new(
                        severity == Severity.Error ? Codes.RecipeBadValue : Codes.RecipeSavesNothing, severity,
                        string.Create(CultureInfo.InvariantCulture, $"'rank': found {rank}; {Quote.Name(plan.Tensor.Name)} {message}"),
                        recipe.File, settings.Position.Line, settings.Position.Column));
                }
            }
        }
    }

    private static (Severity, string)? Find(IReadOnlyList<long> shape, int rank, LowRankSettings settings)
    {
        long rows = shape.Count < 2 ? 1 : shape[0], columns = shape.Skip(shape.Count < 2 ? 0 : 1).Aggregate(1L, (product, dimension) => product * dimension);
        if (rank > Math.Min(rows, columns))
        {
            return (Severity.Error, FormattableString.Invariant($"is a matrix of {rows} × {columns}, whose rank is at most {Math.Min(rows, columns)}"));
        }

        long most = ((rows * columns) - 1) / (rows + columns);
        return settings.OfResidual || rank <= most
            ? null
            : (Severity.Warning, FormattableString.Invariant($"is a matrix of {rows} × {columns}, and factors of a rank above {most} hold no fewer numbers than that"));
    }
}
