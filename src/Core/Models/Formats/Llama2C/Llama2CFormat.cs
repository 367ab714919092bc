using System;
using System.IO;

namespace Compress.Core.Models.Formats.Llama2C;

/// <summary>Checkpoints of llama2.c, as its export.py writes them: version 0 (floats, no mark), 1 (floats) and 2 (8-bit integers in groups).</summary>
public sealed class Llama2CFormat : IModelFormat
{
    private const uint Magic = 0x616b3432;
    private const int HeaderBytes = 256;

    /// <inheritdoc/>
    public string Name => "llama2.c";

    /// <inheritdoc/>
    public string Looks => "*.bin";

    /// <inheritdoc/>
    public string[] Extensions => [".bin"];

    /// <inheritdoc/>
    public bool Recognizes(string path) => path.EndsWith(".bin", StringComparison.OrdinalIgnoreCase) && new FileInfo(path) is { Exists: true, Length: > 0 };

    /// <inheritdoc/>
    public ModelHeader ReadHeader(string path)
    {
        using var reader = new HeaderReader(path);
        if (reader.Length < sizeof(uint) || reader.UInt32("its start") != Magic)
        {
            reader.Position = 0;
            var old = LlamaShape.Read(reader);
            return Floats(reader, old with { HasHead = old.Vocabulary < 0, Vocabulary = Math.Abs(old.Vocabulary) });
        }

        int version = reader.Int32("its version");
        var shape = LlamaShape.Read(reader);
        shape = shape with { HasHead = reader.Byte("its header") == 0 };
        switch (version)
        {
            case 1:
                reader.Position = HeaderBytes;
                return Ordered(reader, shape, groupSize: 0);
            case 2:
                int groupSize = reader.Int32("its header");
                reader.Position = HeaderBytes;
                return groupSize > 0 ? Ordered(reader, shape, groupSize) : throw reader.Bad($"its header says groups of {groupSize} elements");
            default:
                throw reader.Bad($"it is of version {version} of llama2.c's format; known are 0, 1 and 2");
        }
    }

    // Version 0: kind by kind, each for all layers, and two tables of sines that follow from the shape.
    private static ModelHeader Floats(HeaderReader reader, LlamaShape shape)
    {
        var writer = new LlamaTensors(reader, shape, groupSize: 0);
        writer.Matrix(LlamaNames.Embedding, shape.Vocabulary, shape.Width);
        writer.Vectors("input_layernorm.weight");
        writer.Attention();
        writer.Vectors("post_attention_layernorm.weight");
        writer.FeedForward();
        writer.Vector(LlamaNames.Norm);
        writer.Skip(shape.Positions * shape.HeadSize * sizeof(float));
        return writer.Finish();
    }

    // Versions 1 and 2: first all norms, as floats, then all matrices.
    private static ModelHeader Ordered(HeaderReader reader, LlamaShape shape, int groupSize)
    {
        var writer = new LlamaTensors(reader, shape, groupSize);
        writer.Vectors("input_layernorm.weight");
        writer.Vectors("post_attention_layernorm.weight");
        writer.Vector(LlamaNames.Norm);
        writer.Matrix(LlamaNames.Embedding, shape.Vocabulary, shape.Width);
        writer.Attention();
        writer.FeedForward();
        return writer.Finish();
    }
}
