using Compress.Core.Diagnostics;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Cli.Inspection;

/// <summary>Opens packed files, with diagnostics instead of exceptions.</summary>
internal static class PackedFile
{
    /// <summary>The codec of tensors that are stored as they are.</summary>
    public const string Keep = "keep";

    private const string MetadataKey = "compress";

    /// <summary>Opens a file that compress made. Null if it is anything else: a folder, a source model, no safetensors file.</summary>
    /// <exception cref="CompressException">It is one, but damaged or of another version.</exception>
    public static PackedModel? TryOpen(string path)
    {
        try
        {
            var model = Open(path);
            if (model.Metadata.ContainsKey(MetadataKey))
            {
                return model;
            }

            model.Dispose();
            return null;
        }
        catch (Exception exception) when (exception is SafetensorsException or IOException or UnauthorizedAccessException)
        {
            return null; // whoever opens it as a source model says what is wrong
        }
    }

    /// <summary>Opens a file that must be one that compress made.</summary>
    /// <exception cref="CompressException">It cannot be read, is damaged, or is something else.</exception>
    public static PackedModel Require(string path)
    {
        var model = RequireTensors(path);
        if (model.Metadata.ContainsKey(MetadataKey))
        {
            return model;
        }

        model.Dispose();
        throw new CompressException(Codes.PackedMalformed,
            "this safetensors file is no packed model (it has no 'compress' metadata); give the file that 'compress run' wrote", path);
    }

    /// <summary>Opens a file that compress made, or any other safetensors file: a packed model whose tensors are all kept.</summary>
    /// <exception cref="CompressException">It cannot be read, is damaged, or is something else.</exception>
    public static PackedModel RequireTensors(string path)
    {
        try
        {
            return Failures.Reading(path, () => Open(path));
        }
        catch (SafetensorsException exception)
        {
            throw Damaged(path, exception);
        }
    }

    /// <summary>One tensor of the model.</summary>
    /// <exception cref="CompressException">Its description and its stored arrays do not fit.</exception>
    public static PackedTensor Tensor(string path, PackedModel model, string name)
    {
        try
        {
            return model[name];
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(path, exception);
        }
    }

    private static PackedModel Open(string path)
    {
        try
        {
            return PackedModel.OpenFile(path);
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(path, exception);
        }
    }

    private static CompressException Damaged(string path, Exception exception) =>
        new(Codes.PackedMalformed, $"the packed model is damaged: {exception.Message}", path, exception);
}
