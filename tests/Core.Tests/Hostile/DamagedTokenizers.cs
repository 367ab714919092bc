using System.Text;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels.Tokenizers;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.LanguageModels.Tokenizers;
using Xunit.Abstractions;

namespace Compress.Core.Tests.Hostile;

/// <summary>Damaged tokenizers are refused, or encode any text and decode what they encoded.</summary>
[Collection(nameof(Fuzz))]
public sealed class DamagedTokenizers(ITestOutputHelper output) : IDisposable
{
    private static readonly string Text = string.Join('\n', Golden.Odd.Take(150));

    private readonly TempFolder folder = new();

    [Theory]
    [InlineData("bpe-suffix.model", 11_000_000)]
    [InlineData("unigram-bytes.model", 12_000_000)]
    [InlineData("splits.json", 13_000_000)]
    [InlineData("metaspace.json", 14_000_000)]
    public void AreRefusedOrWork(string name, int seed)
    {
        string path = folder[name];
        Fuzz.Mutations(output, seed, Golden.Bytes(name), bytes =>
        {
            File.WriteAllBytes(path, bytes);
            return Worked(path);
        });
    }

    // The vocabulary is most of a file; here all damages are to the rest.
    [Fact]
    public void PipelinesAreRefusedOrWork()
    {
        string file = Encoding.UTF8.GetString(Golden.Bytes("splits.json"));
        int vocabulary = file.IndexOf("\"vocab\"", StringComparison.Ordinal);
        string path = folder["tokenizer.json"];
        Fuzz.Mutations(output, 15_000_000, Encoding.UTF8.GetBytes(file[..vocabulary]), bytes =>
        {
            File.WriteAllBytes(path, [.. bytes, .. Encoding.UTF8.GetBytes(file[vocabulary..])]);
            return Worked(path);
        });
    }

    [Fact]
    public void NormalizersOfModelFilesAreRefusedOrWork()
    {
        byte[] file = Golden.Bytes("unigram-bytes.model");
        int pieces = file.Length - 1500;
        string path = folder["tokenizer.model"];
        Fuzz.Mutations(output, 16_000_000, file[pieces..], bytes =>
        {
            File.WriteAllBytes(path, [.. file[..pieces], .. bytes]);
            return Worked(path);
        });
    }

    [Fact]
    public void FilesOfTokenIdsAreRefusedOrRead()
    {
        string path = folder["ids.txt"];
        Fuzz.Mutations(output, 17_000_000, "[1, 22, 511,\n 0, 37, 5]\n"u8.ToArray(), bytes =>
        {
            File.WriteAllBytes(path, bytes);
            return Fuzz.Caught(() => Assert.All(TokenFile.Read(path, 512), id => Assert.InRange(id, 0, 511)));
        });
    }

    public void Dispose() => folder.Dispose();

    private static Diagnostic? Worked(string path) => Fuzz.Caught(() =>
    {
        var tokenizer = TokenizerFile.Open(path);
        int[] ids = tokenizer.Encode(Text);
        Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
        tokenizer.Decode(ids);
    });
}
