using System;
using System.Collections.Generic;

namespace Compress.Core.Models.Formats;

/// <summary>
/// How models of the Llama family that come from other programs are turned into what Hugging Face's files of the same model hold: the same names, and the same order of
/// the rows of q and k.
/// </summary>
internal static class LlamaNames
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string Norm = "model.norm.weight";
    public const string Head = "lm_head.weight";

    /// <summary>The name of a tensor of a layer.</summary>
    public static string OfLayer(long layer, string part) => FormattableString.Invariant($"model.layers.{layer}.{part}");

    /// <summary>
    /// The rows of q or k, [heads · size, columns], from pairs that rotate together and stand side by side (the original Llama, llama2.c, GGUF) to halves of a head
    /// (Hugging Face): row h·size + half·size/2 + j is stored as row h·size + 2j + half.
    /// </summary>
    /// <param name="heads">Heads; they have an even number of rows.</param>
    /// <param name="rows">Rows of all heads.</param>
    /// <param name="columns">Columns; 1 for a bias.</param>
    public static IEnumerable<Axis> InHalves(long heads, long rows, long columns)
    {
        long size = rows / heads;
        return [new(heads, size * columns), new(2, columns), new(size / 2, 2 * columns), new(columns, 1)];
    }
}
