namespace Compress.Core.Caching;

/// <summary>What may be done with a cache.</summary>
public enum CacheMode
{
    /// <summary>Entries are used and added.</summary>
    ReadWrite,

    /// <summary>Entries are used; nothing in the folder changes, not even the times of last use.</summary>
    ReadOnly,

    /// <summary>There is no cache.</summary>
    Off,
}
