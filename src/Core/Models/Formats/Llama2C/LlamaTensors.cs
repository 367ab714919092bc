using System;
using System.Collections.Generic;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.Llama2C;

/// <summary>The tensors of a llama2.c file, one after the other, under the names that Hugging Face's files have.</summary>
/// <param name="reader">The file, at the first tensor.</param>
/// <param name="shape">What they are made for.</param>
/// <param name="groupSize">Elements of matrices that share a scale; 0 if they are floats.</param>
internal sealed class LlamaTensors(HeaderReader reader, LlamaShape shape, int groupSize)
{
    private readonly TensorList list = new(reader.File);
    private long offset = reader.Position;

    /// <summary>A vector of the model's width.</summary>
    public void Vector(string name) => Add(name, [shape.Width], null, grouped: false);

    /// <summary>A vector of the model's width for each layer.</summary>
    public void Vectors(string part)
    {
        for (long layer = 0; layer < shape.Layers; layer++)
        {
            Vector(LlamaNames.OfLayer(layer, part));
        }
    }

    /// <summary>A matrix.</summary>
    public void Matrix(string name, long rows, long columns) => Add(name, [rows, columns], null, grouped: true);

    /// <summary>q, k, v and the output of attention, each for all layers.</summary>
    public void Attention()
    {
        long keys = shape.HeadSize * shape.KeyHeads;
        Matrices("self_attn.q_proj.weight", shape.Width, shape.Width, shape.Heads);
        Matrices("self_attn.k_proj.weight", keys, shape.Width, shape.KeyHeads);
        Matrices("self_attn.v_proj.weight", keys, shape.Width);
        Matrices("self_attn.o_proj.weight", shape.Width, shape.Width);
    }

    /// <summary>The three matrices of the feed-forward block, each for all layers.</summary>
    public void FeedForward()
    {
        Matrices("mlp.gate_proj.weight", shape.Hidden, shape.Width);
        Matrices("mlp.down_proj.weight", shape.Width, shape.Hidden);
        Matrices("mlp.up_proj.weight", shape.Hidden, shape.Width);
    }

    /// <summary>Passes over bytes.</summary>
    public void Skip(long bytes) => offset += bytes;

    /// <summary>The head, if it is a matrix of its own, and the end of the file.</summary>
    public ModelHeader Finish()
    {
        if (shape.HasHead)
        {
            Matrix(LlamaNames.Head, shape.Vocabulary, shape.Width);
        }

        return offset == reader.Length ? list.ToHeader() : throw reader.Bad($"its header ({shape}) asks for {offset} bytes, but the file has {reader.Length}");
    }

    private void Matrices(string part, long rows, long columns, long heads = 0)
    {
        for (long layer = 0; layer < shape.Layers; layer++)
        {
            Add(LlamaNames.OfLayer(layer, part), [rows, columns], heads > 0 ? LlamaNames.InHalves(heads, rows, columns) : null, grouped: true);
        }
    }

    private void Add(string name, long[] sides, IEnumerable<Axis>? axes, bool grouped)
    {
        long bytes = TensorList.ByteLength(reader.File, name, DType.F32, sides);
        long count = bytes / sizeof(float);
        bool coded = grouped && groupSize > 0;
        if (coded && count % groupSize != 0)
        {
            throw reader.Bad($"tensor {Quote.Name(name)} {Quote.Shape(sides)} is not made of whole groups of {groupSize}, as its header says");
        }

        long stored = coded ? count + (count / groupSize * sizeof(float)) : bytes;
        var layout = TensorLayout.Of(axes ?? [new(count, 1)], coded ? ElementCoding.GroupedInt8 : ElementCoding.Plain, stored, coded ? groupSize : 0);
        list.Add(new(name, DType.F32, sides, reader.File, offset, bytes) { Layout = layout }, reader.Length);
        offset += stored;
    }
}
