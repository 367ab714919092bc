using System.Buffers.Binary;

namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>
/// Reads the fields of one protobuf message in their order (protobuf.dev/programming-guides/encoding). Every length is checked against what is left.
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private const int VarintType = 0;
    private const int Fixed64Type = 1;
    private const int BytesType = 2;
    private const int Fixed32Type = 5;

    private ReadOnlySpan<byte> rest = message;
    private int wireType = -1;

    /// <summary>The number of the field that <see cref="Next"/> found.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field, past the value of the last one if nobody read it.</summary>
    public bool Next()
    {
        Skip();
        if (rest.IsEmpty)
        {
            return false;
        }

        ulong tag = Varint();
        Field = tag >> 3 is > 0 and <= int.MaxValue ? (int)(tag >> 3) : throw new TokenizerException($"the protobuf data hold the field number {tag >> 3}");
        wireType = (int)(tag & 7);
        return true;
    }

    /// <summary>An int32, enum or bool.</summary>
    public int Int32()
    {
        Expect(VarintType);
        return unchecked((int)Varint());
    }

    /// <summary>A bool.</summary>
    public bool Bool() => Int32() != 0;

    /// <summary>A float.</summary>
    public float Single()
    {
        Expect(Fixed32Type);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(4));
    }

    /// <summary>Bytes, a text or a message.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        Expect(BytesType);
        return Take(Varint());
    }

    private void Skip()
    {
        switch (wireType)
        {
            case -1: break;
            case VarintType: Varint(); break;
            case Fixed64Type: Take(8); break;
            case BytesType: Take(Varint()); break;
            case Fixed32Type: Take(4); break;
            default: throw new TokenizerException($"the protobuf data hold a field of wire type {wireType}, which is none");
        }

        wireType = -1;
    }

    private void Expect(int type)
    {
        if (wireType != type)
        {
            throw new TokenizerException($"field {Field} of the protobuf data is of wire type {wireType}; {type} is expected");
        }

        wireType = -1;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int i = 0; i < 10; i++)
        {
            byte part = Take(1)[0];
            value |= (ulong)(part & 0x7F) << (7 * i);
            if (part < 0x80)
            {
                return value;
            }
        }

        throw new TokenizerException("the protobuf data hold a number of more than 64 bits");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)rest.Length)
        {
            throw new TokenizerException($"the protobuf data end within field {Field}, {length - (ulong)rest.Length} bytes too early");
        }

        var taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }
}
