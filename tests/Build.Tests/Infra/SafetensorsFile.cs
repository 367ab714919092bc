using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Compress.Build.Tests.Infra;

/// <summary>Writes small safetensors files: each tensor is [1, 2] F32 and holds its 0-based index twice.</summary>
internal static class SafetensorsFile
{
    public static byte[] Bytes(IReadOnlyList<string> names, JsonObject? metadata = null)
    {
        var header = new JsonObject();
        if (metadata is not null)
        {
            header["__metadata__"] = metadata;
        }

        byte[] data = new byte[8 * names.Count];
        for (int i = 0; i < names.Count; i++)
        {
            header[names[i]] = new JsonObject
            {
                ["dtype"] = "F32",
                ["shape"] = new JsonArray(1, 2),
                ["data_offsets"] = new JsonArray(8 * i, (8 * i) + 8),
            };
            BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(8 * i), i);
            BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan((8 * i) + 4), i);
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. data];
    }
}
