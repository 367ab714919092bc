using Compress.Core.Caching;

namespace Compress.Core.Explaining;

/// <summary>Says why a layer is encoded, although it could have been in the cache.</summary>
public static class Reason
{
    private const int DigestDigits = 8; // enough to tell two apart
    private const int FullDigits = 64;

    /// <summary>Why the layer of a key is encoded.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="key">What determines its packed bytes.</param>
    /// <param name="last">The last run, or null if none is known.</param>
    /// <param name="cache">The cache, or null if there is none.</param>
    /// <param name="force">True if every layer is to be encoded anew.</param>
    public static string Of(string name, LayerKey key, LastRun? last, LayerCache? cache, bool force)
    {
        if (force)
        {
            return "every layer is encoded anew on request";
        }

        string where = cache is null ? "there is no cache to find it in" : "it is not in the cache";
        if (last is null)
        {
            return $"no earlier run is known here, and {where}";
        }

        if (!last.Keys.TryGetValue(name, out var before))
        {
            return $"the last run had no such tensor, and {where}";
        }

        if (before != key)
        {
            return Difference(before, key);
        }

        return cache is not null && cache.Salt != last.CacheSalt
            ? "the cache's salt changed"
            : $"nothing changed since the last run, but {where}";
    }

    /// <summary>The parts in which two keys differ, with their values: <c>settings n=16 -&gt; n=8; weights 1f0c… -&gt; 77ab…</c>.</summary>
    public static string Difference(LayerKey before, LayerKey now) => string.Join("; ", before.Parts.Zip(now.Parts)
        .Where(pair => pair.First.Value != pair.Second.Value)
        .Select(pair => $"{pair.First.Name} {Values(pair.First, pair.Second)}"));

    private static string Values((string Name, string Value) before, (string Name, string Value) now)
    {
        if (before.Name == "weights")
        {
            return $"{Short(before.Value)} -> {Short(now.Value)}";
        }

        // Settings and statistics are words 'name=value': those that stayed need no mention, unless the codec is another and all differ.
        string[] old = before.Value.Split(' '), current = now.Value.Split(' ');
        return $"{Words(old.Except(current))} -> {Words(current.Except(old))}";
    }

    private static string Words(IEnumerable<string> words) => string.Join(' ', words.Select(ShortValue)) is { Length: > 0 } text ? text : "none";

    private static string ShortValue(string word)
    {
        int value = word.IndexOf('=', StringComparison.Ordinal) + 1;
        return word.Length - value == FullDigits && word.Skip(value).All(char.IsAsciiHexDigitLower) ? word[..value] + Short(word[value..]) : word;
    }

    private static string Short(string digest) => digest.Length > DigestDigits ? digest[..DigestDigits] + "…" : digest;
}
