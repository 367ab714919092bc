using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.Gguf;

/// <summary>
/// What the names and rows of a GGUF file are in Hugging Face's. Known for the architectures <c>llama</c> (Llama, Mistral), whose rows of q and k llama.cpp's converter
/// reorders, and <c>qwen2</c>, whose it does not. Others keep their names and rows as they are.
/// </summary>
internal static class GgufNames
{
    private const string Block = "blk.";

    private static readonly Dictionary<string, string> OfModel = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "model.embed_tokens",
        ["output_norm"] = "model.norm",
        ["output"] = "lm_head",
    };

    private static readonly Dictionary<string, string> OfBlock = new(StringComparer.Ordinal)
    {
        ["attn_norm"] = "input_layernorm",
        ["attn_q"] = "self_attn.q_proj",
        ["attn_k"] = "self_attn.k_proj",
        ["attn_v"] = "self_attn.v_proj",
        ["attn_output"] = "self_attn.o_proj",
        ["ffn_norm"] = "post_attention_layernorm",
        ["ffn_gate"] = "mlp.gate_proj",
        ["ffn_up"] = "mlp.up_proj",
        ["ffn_down"] = "mlp.down_proj",
    };

    /// <summary>The name in Hugging Face's files; the same if it is not known.</summary>
    public static string Of(string name, GgufMetadata metadata)
    {
        string[] parts = name.Split('.');
        if (metadata.Architecture is not ("llama" or "qwen2"))
        {
            return name;
        }

        if (parts.Length == 2 && OfModel.TryGetValue(parts[0], out string? top))
        {
            return top + "." + parts[1];
        }

        return parts.Length == 4 && name.StartsWith(Block, StringComparison.Ordinal) && OfBlock.TryGetValue(parts[2], out string? part)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long layer)
            ? LlamaNames.OfLayer(layer, part + "." + parts[3])
            : name;
    }

    /// <summary>The walk that gives Hugging Face's order of elements; null if it is the file's.</summary>
    /// <exception cref="ModelFormatException">The file does not say how many heads there are, or the rows cannot be so many heads'.</exception>
    public static IEnumerable<Axis>? Axes(HeaderReader reader, string name, long[] shape, GgufMetadata metadata)
    {
        bool query = name.Contains(".attn_q."), key = name.Contains(".attn_k.");
        if (metadata.Architecture != "llama" || !(query || key) || shape.Length is not (1 or 2))
        {
            return null;
        }

        long? heads = metadata.Number("llama.attention.head_count");
        long? owned = query ? heads : metadata.Number("llama.attention.head_count_kv") ?? heads;
        return owned is > 0 && shape[0] % (2 * owned.Value) == 0 && shape[0] > 0
            ? LlamaNames.InHalves(owned.Value, shape[0], shape.Length == 2 ? shape[1] : 1)
            : throw reader.Bad(
                $"tensor {Quote.Name(name)} {Quote.Shape(shape)} is to be split into {(owned is null ? "an unknown number of" : owned.ToString())} heads of an even number of rows, "
                + "as 'llama.attention.head_count' and 'head_count_kv' should say");
    }
}
