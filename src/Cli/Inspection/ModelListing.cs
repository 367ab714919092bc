using Compress.Cli.Commands;
using Compress.Core.Models;
using Compress.Core.Models.Formats;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Cli.Inspection;

/// <summary>What <c>compress inspect</c> says of a model, and its JSON.</summary>
/// <param name="File">The absolute path.</param>
/// <param name="Packed">True of what compress made, false of a source model.</param>
/// <param name="Bytes">The size of all its files, headers included.</param>
/// <param name="Weights">Elements of all tensors.</param>
/// <param name="BitsPerWeight">Over the compressed tensors; null if none is.</param>
/// <param name="Tensors">By name in ordinal order.</param>
internal sealed record ModelListing(
    string File, bool Packed, long Bytes, long Weights, double? BitsPerWeight, IReadOnlyList<TensorListing> Tensors)
{
    /// <summary>Reads the headers of a source model or a packed one. Touches no weights.</summary>
    /// <param name="path">The absolute path.</param>
    /// <param name="stateDict">The dictionary of a checkpoint that is the model; null if none is named.</param>
    /// <exception cref="Core.Diagnostics.CompressException">It cannot be read, or is malformed.</exception>
    public static ModelListing Read(string path, string? stateDict)
    {
        using var packed = PackedFile.TryOpen(path);
        if (packed is not null)
        {
            return OfPacked(path, packed);
        }

        using var source = ModelFile.Open(path, CommonOptions.StateDictOf(path, stateDict));
        return OfSource(path, source.Header);
    }

    private static ModelListing OfPacked(string path, PackedModel model)
    {
        var tensors = model.Names.Select(name => PackedFile.Tensor(path, model, name)).ToList();
        double weights = 0, bits = 0;
        foreach (var tensor in tensors.Where(tensor => tensor.Codec != PackedFile.Keep))
        {
            weights += tensor.Count;
            bits += tensor.BitsPerWeight * tensor.Count;
        }

        return new(path, true, model.PackedBytes, tensors.Sum(tensor => tensor.Count), weights == 0 ? null : bits / weights,
            [.. tensors.Select(tensor => new TensorListing(
                tensor.Name, tensor.Shape.ToArray(), tensor.DType.Name(), tensor.Codec, tensor.BitsPerWeight, tensor.StoredBytes))]);
    }

    private static ModelListing OfSource(string path, ModelHeader header)
    {
        long weights = header.Tensors.Sum(tensor => tensor.ByteLength / tensor.DType.SizeInBytes());
        return new(path, false, header.Files.Sum(file => new FileInfo(file).Length), weights, null,
            [.. header.Tensors.Select(tensor => new TensorListing(
                tensor.Name, [.. tensor.Shape], tensor.DType.Name(), null, 8.0 * tensor.DType.SizeInBytes(), tensor.ByteLength))]);
    }
}

/// <summary>What <c>compress inspect</c> says of one tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
/// <param name="Dtype">Its element type in the source model.</param>
/// <param name="Codec">How it is packed; null in a source model.</param>
/// <param name="BitsPerWeight">Every stored bit over the number of weights.</param>
/// <param name="Bytes">Bytes that it alone takes in the file.</param>
internal sealed record TensorListing(string Name, long[] Shape, string Dtype, string? Codec, double BitsPerWeight, long Bytes);
