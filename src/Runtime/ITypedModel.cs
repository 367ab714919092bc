namespace Compress.Runtime;

/// <summary>A class that the build generates for a model: its tensors as members, over a packed model.</summary>
public interface ITypedModel : IDisposable
{
    /// <summary>The model under the class: access by name, metadata, size. It is closed with the class.</summary>
    PackedModel Packed { get; }
}
