namespace Compress.Core.LanguageModels.Blocks;

/// <summary>Is shown the inputs of a linear layer.</summary>
internal interface IInputObserver
{
    /// <summary>Tokens go through the layer.</summary>
    /// <param name="x">[tokens, in]; valid during the call alone.</param>
    /// <param name="tokens">How many, at least one.</param>
    void Inputs(ReadOnlySpan<float> x, int tokens);
}
