using System.Numerics.Tensors;

namespace Compress.Core.Numerics;

/// <summary>Looks for NaN and infinity.</summary>
internal static class Finite
{
    /// <summary>True if every value is finite; so it is if there is none, unlike with TensorPrimitives.</summary>
    public static bool All(ReadOnlySpan<double> values) => values.IsEmpty || TensorPrimitives.IsFiniteAll(values);
}
