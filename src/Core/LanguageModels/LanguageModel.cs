using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels.Architectures;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.LanguageModels.Gradients;
using Compress.Core.LanguageModels.Weights;
using Compress.Core.Models;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels;

/// <summary>
/// A causal language model from a Hugging Face folder: <c>config.json</c> beside the weights. Weights stay in the mapped source, or in a
/// packed model, and are read as they are used. Computes in float32, on <see cref="RuntimeOptions.MaxThreads"/> threads; results do not depend
/// on their number.
/// </summary>
public sealed class LanguageModel : ICausalModel, IDisposable
{
    private readonly Decoder decoder;
    private readonly IReadOnlyDictionary<string, Parameter> parameters;
    private readonly ModelFile? owned;

    private LanguageModel(ModelFile source, bool owns)
    {
        string file = Path.Combine(Path.GetDirectoryName(source.Header.Files[0])!, "config.json");
        var config = ModelConfig.Read(file);
        (var architecture, Architecture) = ArchitectureTable.Of(config);
        var set = new ParameterSet(source, file);
        decoder = architecture.Build(Architecture, config, set);
        set.ThrowIfUnfit();
        parameters = set.Taken;
        owned = owns ? source : null;
    }

    /// <summary>The architecture's name in config.json, such as <c>LlamaForCausalLM</c>.</summary>
    public string Architecture { get; }

    /// <summary>Entries of the vocabulary; token ids are less.</summary>
    public int VocabularySize => decoder.TokenEmbedding.Rows;

    /// <summary>What it is made of.</summary>
    internal Decoder Decoder => decoder;

    /// <summary>Values of a token from which the head makes its logits.</summary>
    public int HiddenWidth => decoder.HiddenWidth;

    /// <summary>The longest sequence that the model knows positions for.</summary>
    public int MaxPositions => decoder.MaxPositions;

    /// <summary>The names of all tensors that the model computes with.</summary>
    public IEnumerable<string> TensorNames => parameters.Keys;

    /// <summary>Opens a model's folder or file, which stays mapped until <see cref="Dispose"/>.</summary>
    /// <exception cref="CompressException">As for <see cref="ModelFile.Open"/> and <see cref="Open(ModelFile)"/>.</exception>
    public static LanguageModel Open(string path)
    {
        var source = ModelFile.Open(path);
        try
        {
            return new(source, owns: true);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Opens a model whose weights are mapped already. They must stay so while it is in use.</summary>
    /// <exception cref="CompressException">
    /// There is no config.json beside it, or it is malformed, names an architecture that is not known, or does not fit the tensors.
    /// </exception>
    public static LanguageModel Open(ModelFile source) => new(source, owns: false);

    /// <summary>Opens a model that takes from a packed model all tensors that are in it, and the others from its source.</summary>
    /// <param name="source">The source; it and <paramref name="packed"/> must stay open while the result is in use.</param>
    /// <param name="packed">The packed model.</param>
    /// <exception cref="CompressException">As for <see cref="Open(ModelFile)"/>, or the packed model is not one of this source.</exception>
    public static LanguageModel Open(ModelFile source, PackedModel packed)
    {
        var model = new LanguageModel(source, owns: false);
        string[] common = [.. model.TensorNames.Where(packed.Contains)];
        if (common.Length == 0)
        {
            throw new CompressException(
                Codes.LanguageModelPacked, $"the packed model has no tensor of the model {source.Header.Files[0]}; is it another model's?");
        }

        foreach (string name in common)
        {
            try
            {
                model.Use(name, packed[name]);
            }
            catch (InvalidDataException exception)
            {
                throw new CompressException(Codes.PackedMalformed, exception.Message, innerException: exception);
            }
        }

        return model;
    }

    /// <summary>Takes one tensor from its packed form from now on. No <see cref="Forward"/> may be running.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="packed">The packed form, or null to take it from the source again.</param>
    /// <exception cref="KeyNotFoundException">The model has no such tensor.</exception>
    /// <exception cref="CompressException">The packed tensor has another shape.</exception>
    public void Use(string name, PackedTensor? packed)
    {
        var parameter = parameters[name];
        if (packed is not null && !packed.Shape.SequenceEqual(parameter.Shape.ToArray()))
        {
            throw new CompressException(
                Codes.LanguageModelPacked,
                $"the packed tensor {Quote.Name(name)} is {Quote.Shape(packed.Shape.ToArray())}, but the model's is {Quote.Shape(parameter.Shape)}; "
                + "is it another model's?");
        }

        parameter.Use(packed);
    }

    /// <summary>Takes other values for one tensor from now on; results stay the same on every CPU. No <see cref="Forward"/> may be running.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="values">As many as it has, row-major.</param>
    /// <exception cref="KeyNotFoundException">The model has no such tensor.</exception>
    internal void UseValues(string name, float[] values) => parameters[name].UseValues(values);

    /// <summary>Takes for one tensor what its packed form stands for from now on; results stay the same on every CPU. No <see cref="Forward"/> may be running.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="packed">The packed form.</param>
    /// <exception cref="KeyNotFoundException">The model has no such tensor.</exception>
    internal void UseDequantized(string name, PackedTensor packed) => parameters[name].UseDequantized(packed);

    /// <summary>The logits of the token that follows each token of a sequence. Safe for several threads.</summary>
    /// <param name="tokens">A sequence; the first token is at position 0.</param>
    /// <param name="logits">Receives <c>[tokens, vocabulary]</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is of another length, or there are more tokens than positions.</exception>
    /// <exception cref="CompressException">A token is not in the vocabulary.</exception>
    public void Forward(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        if (logits.Length != (long)tokens.Length * VocabularySize)
        {
            throw new ArgumentException($"{logits.Length} floats for {tokens.Length} × {VocabularySize} logits", nameof(logits));
        }

        Check(tokens);
        if (tokens.Length > 0)
        {
            decoder.Forward(tokens, logits);
        }
    }

    /// <summary>What <see cref="Logits"/> makes the logits of the token that follows each token of: a vocabulary may be too long for those of a sequence.</summary>
    /// <param name="tokens">A sequence; the first token is at position 0.</param>
    /// <param name="hidden">Receives <c>[tokens, hidden width]</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="hidden"/> is of another length, or there are more tokens than positions.</exception>
    /// <exception cref="CompressException">A token is not in the vocabulary.</exception>
    public void Hidden(ReadOnlySpan<int> tokens, Span<float> hidden)
    {
        if (hidden.Length != (long)tokens.Length * HiddenWidth)
        {
            throw new ArgumentException($"{hidden.Length} floats for {tokens.Length} × {HiddenWidth} hidden values", nameof(hidden));
        }

        Check(tokens);
        if (tokens.Length > 0)
        {
            decoder.Hidden(tokens, hidden);
        }
    }

    /// <summary>The last step of <see cref="Forward"/>, for any of a sequence's tokens.</summary>
    /// <param name="hidden"><c>[count, hidden width]</c>: rows of what <see cref="Hidden"/> gave.</param>
    /// <param name="logits">Receives <c>[count, vocabulary]</c>.</param>
    /// <param name="count">How many tokens.</param>
    /// <exception cref="ArgumentException">A span is of another length.</exception>
    public void Logits(ReadOnlySpan<float> hidden, Span<float> logits, int count)
    {
        if (hidden.Length != (long)count * HiddenWidth || logits.Length != (long)count * VocabularySize)
        {
            throw new ArgumentException($"{hidden.Length} and {logits.Length} floats for {count} × {HiddenWidth} hidden values and {count} × {VocabularySize} logits");
        }

        if (count > 0)
        {
            decoder.Head.Apply(hidden, logits, count);
        }
    }

    /// <summary>Runs the layers over a sequence, and keeps what gradients need. Safe for several threads.</summary>
    /// <param name="tokens">A sequence; the first token is at position 0.</param>
    /// <returns>What was kept, to be disposed of. No tensor may be replaced meanwhile.</returns>
    /// <exception cref="ArgumentException">There are more tokens than positions.</exception>
    /// <exception cref="CompressException">A token is not in the vocabulary.</exception>
    public RecordedPass Record(ReadOnlySpan<int> tokens)
    {
        Check(tokens);
        return new(decoder, tokens, parameters.Values.Sum(parameter => (long)parameter.Rows * parameter.Columns));
    }

    private void Check(ReadOnlySpan<int> tokens)
    {
        if (tokens.Length > MaxPositions)
        {
            throw new ArgumentException($"{tokens.Length} tokens for a model of {MaxPositions} positions", nameof(tokens));
        }

        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)VocabularySize)
            {
                throw new CompressException(
                    Codes.LanguageModelTokens,
                    $"token {token} is not in the model's vocabulary of {VocabularySize}; does the tokenizer belong to the model?");
            }
        }
    }

    /// <summary>Unmaps what <see cref="Open(string)"/> mapped.</summary>
    public void Dispose() => owned?.Dispose();
}
