namespace Compress.Core.LanguageModels.Blocks;

/// <summary>Is shown the inputs of a linear layer, or its outputs.</summary>
internal interface IVectorObserver
{
    /// <summary>Tokens go through the layer.</summary>
    /// <param name="vectors">[tokens, width]; valid during the call alone.</param>
    /// <param name="tokens">How many, at least one.</param>
    void Add(ReadOnlySpan<float> vectors, int tokens);
}
