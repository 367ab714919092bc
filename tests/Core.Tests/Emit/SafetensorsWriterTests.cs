using System.Buffers.Binary;
using System.Text.Json;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Emit;

public class WrittenSafetensors
{
    private static readonly StoredArray[] Arrays =
    [
        Array("codes", DType.U8, [3], [1, 2, 3]),
        Array("b.scales", DType.F16, [1], [4, 5]),
        Array("a.scales", DType.F16, [1, 2], [6, 7, 8, 9]),
        Array("norm", DType.F32, [], [10, 11, 12, 13]),
    ];

    // Read with a JSON parser alone, by the format's published definition: 8 bytes of length, the header, the data.
    [Fact]
    public void HasContiguousOffsetsInOrderOfElementSizeThenName()
    {
        byte[] file = Write(Arrays);

        int headerLength = checked((int)BinaryPrimitives.ReadInt64LittleEndian(file));
        using var header = JsonDocument.Parse(file.AsMemory(8, headerLength));
        var offsets = header.RootElement.EnumerateObject()
            .Where(property => property.Name != "__metadata__")
            .Select(property => (property.Name, property.Value.GetProperty("data_offsets").EnumerateArray().Select(o => o.GetInt32()).ToArray()));
        Assert.Equal(
            [("norm", "0-4"), ("a.scales", "4-8"), ("b.scales", "8-10"), ("codes", "10-13")],
            offsets.Select(offset => (offset.Name, string.Join('-', offset.Item2))));
        Assert.Equal(8 + headerLength + 13, file.Length);
        Assert.Equal([10, 11, 12, 13, 6, 7, 8, 9, 4, 5, 1, 2, 3], file[(8 + headerLength)..]);
    }

    [Fact]
    public void StartsItsDataAtAMultipleOf64() =>
        Assert.Equal(0, (8 + BinaryPrimitives.ReadInt64LittleEndian(Write(Arrays))) % 64);

    [Fact]
    public void DoesNotDependOnTheOrderOfItsArguments() =>
        Assert.Equal(Write(Arrays), Write([.. Arrays.Reverse()], new() { ["a"] = "b", ["key"] = "text" }));

    [Fact]
    public void IsReadBackByTheReader()
    {
        byte[] file = Write(Arrays);

        var header = SafetensorsHeader.Read(file.Length, (offset, count) => file.AsSpan((int)offset, count).ToArray());

        Assert.Equal(["norm", "a.scales", "b.scales", "codes"], header.Entries.Select(entry => entry.Name));
        Assert.Equal(["", "1,2", "1", "3"], header.Entries.Select(entry => string.Join(',', entry.Shape)));
        Assert.Equal([DType.F32, DType.F16, DType.F16, DType.U8], header.Entries.Select(entry => entry.DType));
        Assert.Equal(new Dictionary<string, string> { ["a"] = "b", ["key"] = "text" }, header.Metadata);
    }

    [Fact]
    public void RefusesAnArrayThatWritesAnotherNumberOfBytes() =>
        Assert.Throws<InvalidDataException>(() =>
            Write([new StoredArray("short", DType.U8, [4], 4, stream => stream.WriteByte(1))]));

    private static StoredArray Array(string name, DType type, long[] shape, byte[] bytes) =>
        new(name, type, shape, bytes.Length, stream => stream.Write(bytes));

    private static byte[] Write(StoredArray[] arrays, Dictionary<string, string>? metadata = null)
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, metadata ?? new() { ["key"] = "text", ["a"] = "b" }, arrays);
        return stream.ToArray();
    }
}
