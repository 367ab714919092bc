using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using static Compress.Core.Models.Formats.Entrance;

namespace Compress.Core.Models.Formats.PyTorch;

/// <summary>
/// Files that torch.save wrote: zip archives (since 1.6) and rows of pickles (before), alone or as the shards of a Hugging Face model. Their pickles are
/// interpreted by <see cref="Pickle.PickleReader"/>: no code in them runs.
/// </summary>
public sealed class PyTorchFormat : IModelFormat, ICheckpointFormat
{
    private const string Extension = ".bin";
    private const string IndexExtension = ".bin.index.json";
    private const string FolderModel = "pytorch_model";

    // The first pickle of an old file: protocol 2, the number 0x1950a86a20f9469cfc6c, stop.
    private static readonly byte[] LegacyMagic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];
    private static readonly byte[] ZipMagic = [(byte)'P', (byte)'K', 3, 4];

    /// <inheritdoc/>
    public string Name => "PyTorch";

    /// <inheritdoc/>
    public string Looks => "*.pt, *.pth, *.bin, *.bin.index.json, or a folder with pytorch_model.bin or pytorch_model.bin.index.json";

    /// <inheritdoc/>
    public string[] Extensions => [IndexExtension, ".pth", ".pt", Extension];

    /// <inheritdoc/>
    public bool Recognizes(string path) =>
        Entrance(path) is { } file
        && (EndsWith(file, ".pt") || EndsWith(file, ".pth") || EndsWith(file, IndexExtension) || (EndsWith(file, Extension) && (Begins(file, ZipMagic) || Begins(file, LegacyMagic))));

    /// <inheritdoc/>
    public ModelHeader ReadHeader(string path) => Read(path, null);

    ModelHeader ICheckpointFormat.ReadHeader(string path, string? stateDict) => Read(path, stateDict);

    private static ModelHeader Read(string path, string? stateDict)
    {
        string file = Entrance(path) ?? throw new ModelFormatException(path, "is no PyTorch model");
        return EndsWith(file, IndexExtension) ? ShardedModel.ReadHeader(file, shard => ReadTensors(shard, stateDict)) : new(ReadTensors(file, stateDict), [file]);
    }

    private static List<ModelTensor> ReadTensors(string file, string? stateDict)
    {
        using var reader = new HeaderReader(file);
        byte[] start = reader.Start(LegacyMagic.Length);
        return start.Take(ZipMagic.Length).SequenceEqual(ZipMagic) ? ArchiveFile.Read(reader, stateDict)
            : start.SequenceEqual(LegacyMagic) ? LegacyFile.Read(reader, stateDict)
            : throw reader.Bad($"it begins with the bytes {string.Concat(start.Take(8).Select(value => value.ToString("X2", CultureInfo.InvariantCulture)))}; files of torch.save begin with "
                + "504B0304 (a zip archive) or 80028A0A6CFC9C46 (before PyTorch 1.6): is it complete?");
    }

    private static bool Begins(string file, byte[] magic)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64);
        return magic.All(expected => stream.ReadByte() == expected);
    }

    private static string? Entrance(string path) => Formats.Entrance.Of(path, FolderModel + Extension, FolderModel + IndexExtension);
}
