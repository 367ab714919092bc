using Compress.Core.Codecs;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.Models;

namespace Compress.Core.Calibration;

/// <summary>The linear layers of a language model, by the names of their weights, and the statistics that each can have.</summary>
internal sealed class LayersOfAModel
{
    private readonly LanguageModel model;
    private readonly ModelFile source;
    private readonly Dictionary<string, Linear> layers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> inputs = new(StringComparer.Ordinal);

    /// <param name="model">The model.</param>
    /// <param name="source">The same, as it is stored.</param>
    public LayersOfAModel(LanguageModel model, ModelFile source)
    {
        (this.model, this.source) = (model, source);
        foreach (var group in model.Decoder.Stages.SelectMany(stage => stage))
        {
            foreach (var layer in group.Layers)
            {
                layers.TryAdd(layer.Name, layer);
                inputs.TryAdd(layer.Name, group.First.Name);
            }
        }
    }

    /// <summary>A layer.</summary>
    public Linear this[string name] => layers[name];

    /// <summary>All layers, stage by stage.</summary>
    public IReadOnlyCollection<Linear> All => layers.Values;

    /// <summary>The layer that makes logits of the final hidden state.</summary>
    public string Head => model.Decoder.Head.Name;

    /// <summary>True for a head that is not the embedding too.</summary>
    public bool IsOwnHead(string name) => name == Head && name != model.Decoder.TokenEmbedding.Name;

    /// <summary>Matrices that the model multiplies nothing with: embeddings.</summary>
    public IEnumerable<string> Tables => model.TensorNames.Where(name => !Contains(name) && source[name].Shape.Count > 1).Order(StringComparer.Ordinal);

    /// <summary>True for the weights of a linear layer.</summary>
    public bool Contains(string name) => layers.ContainsKey(name);

    /// <summary>The layer that a statistic goes by: what is of an input is of all layers that have it.</summary>
    public string Owner(StatisticKinds kind, string layer) => StatisticNames.OfInputs.HasFlag(kind) ? inputs[layer] : layer;

    /// <summary>False for what a layer does not have: the final hidden state does not depend on the head.</summary>
    public bool Has(StatisticKinds kind, string layer) => kind != StatisticKinds.HiddenGradients || layer != Head;

    /// <summary>The shape of a statistic of a layer.</summary>
    public long[] Shape(StatisticKinds kind, string layer)
    {
        var linear = layers[layer];
        return linear.Transposed
            ? StatisticNames.Shape(kind, linear.Inputs, linear.Outputs, transposed: true)
            : StatisticNames.Shape(kind, linear.Outputs, linear.Inputs, transposed: false);
    }
}
