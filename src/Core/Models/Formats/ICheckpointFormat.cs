namespace Compress.Core.Models.Formats;

/// <summary>A format whose files may hold several dictionaries of tensors, of which one is the model.</summary>
internal interface ICheckpointFormat
{
    /// <summary>As <see cref="IModelFormat.ReadHeader"/>, of the dictionary of that name.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="stateDict">The dictionary's name, those of the dictionaries around it before it, with dots between.</param>
    /// <exception cref="StateDictException">There is none of that name.</exception>
    ModelHeader ReadHeader(string path, string? stateDict);
}
