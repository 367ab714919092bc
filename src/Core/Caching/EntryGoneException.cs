namespace Compress.Core.Caching;

/// <summary>An entry was removed after it had been found and before it was copied: somebody trims or clears the cache.</summary>
public sealed class EntryGoneException(string path, Exception? innerException = null)
    : IOException($"the cache entry '{path}' was removed while it was in use", innerException);
