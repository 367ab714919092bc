namespace Compress.Core.LanguageModels.Tokenizers;

/// <summary>What is wrong with a tokenizer's file. <see cref="TokenizerFile"/> adds the file and makes a diagnostic of it.</summary>
internal sealed class TokenizerException(string message, bool unsupported = false, int line = 1, int column = 1) : Exception(message)
{
    /// <summary>The file is well-formed and asks for something that is not known here.</summary>
    public bool Unsupported { get; } = unsupported;

    /// <summary>1-based.</summary>
    public int Line { get; } = line;

    /// <summary>1-based.</summary>
    public int Column { get; } = column;
}
