using System.Globalization;
using Compress.Core.Recipes;

namespace Compress.Core.Codecs.LowRank;

/// <summary>What a recipe says of low rank.</summary>
/// <param name="Rank">The rank; null where <paramref name="Energy"/> or <paramref name="Bits"/> say it.</param>
/// <param name="Energy">The least part of the matrix's energy that is kept; of its outputs' energy, if the factorization is whitened.</param>
/// <param name="Bits">The most bits per weight that all factors together take, tables that layers share not counted.</param>
/// <param name="Whitened">True for the least error of outputs, false for the least error of weights.</param>
/// <param name="OfResidual">True if the factors correct a matrix that the method packs; false if they are the matrix.</param>
/// <param name="File">The recipe.</param>
/// <param name="Position">Where it says so.</param>
internal sealed record LowRankSettings(int? Rank, double? Energy, double? Bits, bool Whitened, bool OfResidual, string? File, Position Position)
{
    /// <summary>The canonical text of what changes the result.</summary>
    public override string ToString() =>
        (Rank is { } rank ? string.Create(CultureInfo.InvariantCulture, $"rank={rank}")
            : Energy is { } energy ? string.Create(CultureInfo.InvariantCulture, $"energy={energy:R}")
            : string.Create(CultureInfo.InvariantCulture, $"bits={Bits:R}"))
        + (Whitened ? " by=whitened" : " by=svd") + (OfResidual ? " of=residual" : " of=weights");
}
