using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>The normalizers of a tokenizer.json: text → text.</summary>
internal static class Normalizers
{
    /// <exception cref="TokenizerException">It is malformed or not known.</exception>
    public static Func<string, string> Read(JsonPart part)
    {
        if (part.IsNull)
        {
            return text => text;
        }

        switch (part.Type)
        {
            case "Sequence":
                var all = part.Only("normalizers")["normalizers"].Items().Select(Read).ToArray();
                return text => all.Aggregate(text, (current, next) => next(current));
            case "NFC" or "NFD" or "NFKC" or "NFKD":
                var form = part.Only().Type switch
                {
                    "NFC" => NormalizationForm.FormC,
                    "NFD" => NormalizationForm.FormD,
                    "NFKC" => NormalizationForm.FormKC,
                    _ => NormalizationForm.FormKD,
                };
                return text => UnicodeNormalization.Normalize(text, form);
            case "Prepend":
                string prefix = part.Only("prepend")["prepend"].Text();
                return text => text.Length == 0 ? text : prefix + text;
            case "Replace":
                var pattern = new TextPattern(part.Only("pattern", "content")["pattern"]);
                string content = part["content"].Text();
                return text => pattern.Replace(text, content);
            default:
                throw part.UnknownType("Sequence", "NFC", "NFD", "NFKC", "NFKD", "Prepend", "Replace");
        }
    }
}
