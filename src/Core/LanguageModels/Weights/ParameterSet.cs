using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels.Weights;

/// <summary>
/// The tensors of a source model, handed out by name to the layers that an architecture describes. What does not fit is collected, and
/// reported all at once: tensors that are missing, that have another shape, and that nobody asked for.
/// </summary>
/// <param name="source">The model.</param>
/// <param name="configFile">The file that says which tensors there should be.</param>
internal sealed class ParameterSet(ModelFile source, string configFile)
{
    // A configuration that asks for more is another model's. Also keeps absurd numbers of layers from taking for ever.
    private const int MaxMissing = 1000;

    private const int MaxNamed = 5;

    private readonly Dictionary<string, SourceTensor> tensors = source.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    private readonly Dictionary<string, Parameter> taken = new(StringComparer.Ordinal);
    private readonly List<string> missing = [];
    private readonly List<string> misshapen = [];
    private readonly List<string> ignored = [];
    private string prefix = "";

    /// <summary>All that were handed out, by name.</summary>
    public IReadOnlyDictionary<string, Parameter> Taken => taken;

    /// <summary>Looks which prefix the names have: models that were saved without their head have a shorter one.</summary>
    /// <param name="prefix">The usual one, such as <c>transformer.</c></param>
    /// <param name="shorter">The other one.</param>
    /// <param name="probe">A name that every model has, without the prefix.</param>
    public void FindPrefix(string prefix, string shorter, string probe) =>
        this.prefix = !tensors.ContainsKey(prefix + probe) && tensors.ContainsKey(shorter + probe) ? shorter : prefix;

    /// <summary>The tensor of that name, which should be floats of that shape.</summary>
    public Parameter Take(string name, params ReadOnlySpan<long> shape) => TakeExact(prefix + name, shape);

    /// <summary>As <see cref="Take"/>, of a name that has no prefix.</summary>
    public Parameter TakeExact(string name, params ReadOnlySpan<long> shape)
    {
        if (!tensors.TryGetValue(name, out var tensor))
        {
            missing.Add($"{Quote.Name(name)} {Quote.Shape(shape.ToArray())}");
            if (missing.Count >= MaxMissing)
            {
                ThrowIfUnfit();
            }

            return null!; // nobody will use it: ThrowIfUnfit follows
        }

        if (!shape.SequenceEqual(tensor.Shape.ToArray()) || !tensor.DType.IsFloat())
        {
            misshapen.Add($"{Quote.Name(name)} is {tensor.DType.Name()} {Quote.Shape(tensor.Shape)}, "
                + $"expected {(tensor.DType.IsFloat() ? "" : "floats ")}{Quote.Shape(shape.ToArray())}");
        }

        if (!taken.TryGetValue(name, out var parameter))
        {
            taken.Add(name, parameter = new Parameter(tensor));
        }

        return parameter;
    }

    /// <summary>Names with that ending need no reader: buffers that can be computed, copies of tied weights.</summary>
    public void Ignore(string ending) => ignored.Add(ending);

    /// <summary>Ends the work if anything does not fit.</summary>
    /// <exception cref="CompressException">It names what.</exception>
    public void ThrowIfUnfit()
    {
        string[] extra = missing.Count >= MaxMissing ? [] :
        [
            .. tensors.Keys.Except(taken.Keys).Where(name => !ignored.Any(ending => name.EndsWith(ending, StringComparison.Ordinal)))
                .Order(StringComparer.Ordinal).Select(Quote.Name),
        ];
        string[] faults =
        [
            .. Listed(missing.Count == 1 ? "the model has no tensor" : "the model has no tensors", missing),
            .. Listed("of another shape:", misshapen),
            .. Listed("not known to this architecture:", extra),
        ];
        if (faults.Length > 0)
        {
            throw new CompressException(
                Codes.LanguageModelTensors, $"the configuration does not fit the tensors of {source.Header.Files[0]}: {string.Join("; ", faults)}", configFile);
        }
    }

    private static IEnumerable<string> Listed(string what, IReadOnlyCollection<string> items) => items.Count == 0
        ? []
        : [$"{what} {string.Join(", ", items.Take(MaxNamed))}{(items.Count > MaxNamed ? $" and {items.Count - MaxNamed} more" : "")}"];
}
