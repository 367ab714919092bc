namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>A token by its text, or by its id.</summary>
internal readonly record struct TokenName(string? Content, int? Number)
{
    public int? Id(Func<string, int?> lookup) => Number ?? lookup(Content!);
}

/// <summary>
/// Which tokens begin and end a text. A tokenizer.json does not say; tokenizer_config.json does (<c>bos_token</c>, <c>eos_token</c>: a text, an object
/// with a <c>content</c>, or null for none), and where it is silent the model's config.json (<c>bos_token_id</c>, <c>eos_token_id</c>).
/// </summary>
internal sealed record SpecialTokens(TokenName? Bos, TokenName? Eos)
{
    private static readonly string[] Kinds = ["bos_token", "eos_token"];

    /// <param name="folder">Where the tokenizer.json is.</param>
    /// <param name="read">Reads a JSON file, if it is there.</param>
    public static SpecialTokens Read(string folder, Action<string, Action<JsonPart>> read)
    {
        var found = new Dictionary<string, TokenName?>(StringComparer.Ordinal);
        read(Path.Combine(folder, "tokenizer_config.json"), file =>
        {
            foreach (string kind in Kinds.Where(file.Has))
            {
                var token = file[kind];
                found[kind] = token.IsNull ? null : new(token.IsObject ? token["content"].Text() : token.Text(), null);
            }
        });
        read(Path.Combine(folder, "config.json"), file =>
        {
            foreach (string kind in Kinds.Where(kind => !found.ContainsKey(kind)))
            {
                var id = file[$"{kind}_id"];
                id = id.IsList ? id.Items().FirstOrDefault() : id; // Llama 3 ends a text in several ways, the usual one first
                found[kind] = id.IsNull ? null : new(null, id.Id());
            }
        });
        return new(found.GetValueOrDefault(Kinds[0]), found.GetValueOrDefault(Kinds[1]));
    }
}
