namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// Finds the nearest points of a grid, exactly: the least distance in float arithmetic, of several the lowest index.
/// Both searches look their candidates up in a table of cells, so that the time hardly depends on n.
/// </summary>
internal abstract class GridSearch
{
    /// <summary>Values are taken so many at a time.</summary>
    public const int Step = 8;

    /// <summary>Quantizes <c>values · factor</c>.</summary>
    /// <param name="values">The length is a multiple of <see cref="Step"/>; p consecutive values are one vector.</param>
    /// <param name="factor">Brings the values to unit variance.</param>
    /// <param name="codes">Receives <c>values.Length / p</c> codes.</param>
    /// <param name="points">Receives the points chosen, as many numbers as there are values.</param>
    public abstract void Nearest(ReadOnlySpan<float> values, float factor, Span<ushort> codes, Span<float> points);
}
