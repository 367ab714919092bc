using System;
using System.Linq;
using Compress.Core.Recipes;

namespace Compress.Tasks;

/// <summary>What a project says of the layer cache.</summary>
/// <param name="Directory">The absolute path of its folder, or null for the engine's default.</param>
/// <param name="Mode"><c>ReadWrite</c>, <c>ReadOnly</c> or <c>Off</c>.</param>
/// <param name="MaxBytes">The size that it is kept below, or null for the engine's default.</param>
/// <param name="Salt">Keeps its entries apart from those of other salts.</param>
internal sealed record CacheSettings(string? Directory, string Mode, long? MaxBytes, string Salt)
{
    private static readonly string[] Modes = ["ReadWrite", "ReadOnly", "Off"];

    /// <summary>Reads the properties of a project; empty ones stand for the defaults.</summary>
    /// <returns>Null if one is malformed; then <paramref name="mistake"/> says which.</returns>
    public static CacheSettings? Parse(string directory, string mode, string maxSize, string salt, out string mistake)
    {
        mistake = "";
        string? known = mode.Length == 0 ? Modes[0] : Modes.FirstOrDefault(name => name.Equals(mode, StringComparison.OrdinalIgnoreCase));
        if (known is null)
        {
            mistake = $"CompressCacheMode is '{mode}'; expected {string.Join(", ", Modes)}";
            return null;
        }

        long bytes = 0;
        if (maxSize.Length > 0 && !ByteSize.TryParse(maxSize, out bytes))
        {
            mistake = $"CompressCacheMaxSize is '{maxSize}'; expected {ByteSize.Expected}";
            return null;
        }

        return new(directory.Length > 0 ? directory : null, known, maxSize.Length > 0 ? bytes : null, salt);
    }
}
