using System.Security.Cryptography;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels.Tokenizers.HuggingFace;
using Compress.Core.LanguageModels.Tokenizers.SentencePiece;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels.Tokenizers;

/// <summary>Finds and opens a model's tokenizer.</summary>
public static class TokenizerFile
{
    // The largest in use have some 40 MB.
    private const long MostBytes = 512L << 20;

    private const int MinPadding = 64;
    private const int MostPaddingShare = 16;

    // Where both are there, tokenizer.json is a conversion, which often differs in spaces and in what it makes of "<s>" in a text.
    private static readonly string[] Names = ["tokenizer.model", "tokenizer.json"];

    /// <summary>The path of the tokenizer in a model's folder: <c>tokenizer.model</c> or <c>tokenizer.json</c>.</summary>
    /// <exception cref="CompressException">CMPR2310: there is none.</exception>
    public static string Find(string modelFolder)
    {
        modelFolder = Path.GetFullPath(modelFolder);
        return Names.Select(name => Path.Combine(modelFolder, name)).FirstOrDefault(File.Exists) ?? throw new CompressException(
            Codes.TokenizerNotReadable, $"the model's folder has no tokenizer; put its {string.Join(" or ", Names)} there", modelFolder);
    }

    /// <summary>Reads a tokenizer.</summary>
    /// <exception cref="CompressException">
    /// CMPR2310: it cannot be read; CMPR2311: it is malformed; CMPR2312: it asks for something that is not known.
    /// </exception>
    public static ITokenizer Open(string path)
    {
        path = Path.GetFullPath(path);
        byte[] bytes = ReadBytes(path, "tokenizer");
        bool isJson = bytes.AsSpan().TrimStart("\uFEFF \t\r\n"u8).StartsWith("{"u8);
        return Guard<ITokenizer>(path, () => isJson
            ? OpenJson(path, bytes) : new SentencePieceTokenizer(SentencePieceModel.Read(bytes), Convert.ToHexStringLower(SHA256.HashData(bytes))));
    }

    /// <summary>Checks that a tokenizer belongs to a model.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="path">Its file, for the message.</param>
    /// <param name="rows">Of the model's embedding: its vocabulary, padded for speed at times (32,011 tokens in 32,064 rows).</param>
    /// <exception cref="CompressException">CMPR2313: it has ids that the model does not know, or far fewer than the model.</exception>
    public static void CheckFits(ITokenizer tokenizer, string path, int rows)
    {
        int size = tokenizer.VocabularySize;
        int mostPadding = Math.Max(MinPadding, rows / MostPaddingShare);
        if (size > rows || rows - size > mostPadding)
        {
            throw new CompressException(
                Codes.TokenizerNotOfModel,
                $"the tokenizer has {size} tokens and the model {rows}: they do not belong together; give the tokenizer of this model",
                Path.GetFullPath(path));
        }
    }

    /// <summary>All bytes of a file of bounded size.</summary>
    internal static byte[] ReadBytes(string path, string what)
    {
        try
        {
            long length = new FileInfo(path).Length;
            return length <= MostBytes ? File.ReadAllBytes(path) : throw new CompressException(
                Codes.TokenizerNotReadable, $"the {what} has {length} bytes, the limit is {MostBytes}; is it the right file?", path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.TokenizerNotReadable, $"the {what} cannot be read: {exception.Message}", path, exception);
        }
    }

    private static HuggingFaceTokenizer OpenJson(string path, byte[] bytes)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(bytes);
        var tokens = SpecialTokens.Read(Path.GetDirectoryName(path)!, (beside, read) =>
        {
            if (File.Exists(beside))
            {
                byte[] content = ReadBytes(beside, "configuration");
                digest.AppendData(content);
                Guard(beside, () =>
                {
                    using var json = JsonPart.Parse(content);
                    read(new(json.RootElement, ""));
                    return true;
                });
            }
        });
        using var file = JsonPart.Parse(bytes);
        return new(path, new(file.RootElement, ""), tokens, Convert.ToHexStringLower(digest.GetHashAndReset()));
    }

    /// <summary>Says of what is wrong with a file which file it is.</summary>
    internal static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (TokenizerException exception)
        {
            string code = exception.Unsupported ? Codes.TokenizerNotSupported : Codes.TokenizerMalformed;
            throw new CompressException(new Diagnostic(code, Severity.Error, exception.Message, path, exception.Line, exception.Column), exception);
        }
    }
}
