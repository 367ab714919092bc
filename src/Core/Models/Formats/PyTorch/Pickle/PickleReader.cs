using System;
using System.Collections.Generic;
using System.Linq;
using System.Numerics;
using System.Text;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.PyTorch.Pickle;

/// <summary>
/// Interprets the part of the pickle language (PEP 307, PEP 3154, Python's pickletools) that describes data and tensors. Nothing is ever imported or run: a call
/// is one of the cases of <see cref="Rebuild"/>, and every other name, instruction or persistent id is refused with its name.
/// </summary>
internal sealed class PickleReader
{
    // A value takes at most a hundred bytes of memory; a tensor takes some 35 values.
    private const int MaxValues = 8_000_000;

    private static readonly object Mark = new();

    private readonly HeaderReader input;
    private readonly List<object?> stack = [];
    private readonly Dictionary<long, object?> memo = [];
    private int values;

    private PickleReader(HeaderReader input) => this.input = input;

    /// <summary>The value of the pickle that begins at the input's position, which afterwards is behind it.</summary>
    /// <exception cref="ModelFormatException">It is malformed, or asks for what is not data.</exception>
    public static object? Read(HeaderReader input) => new PickleReader(input).Run();

    private object? Run()
    {
        while (true)
        {
            long at = input.Position;
            byte code = input.Byte("a pickle");
            if (code == '.')
            {
                object? result = Pop(at);
                return stack.Count == 0 ? result : throw Bad(at, "it ends with values that nothing took");
            }

            if (!Literal(code) && !Structure(code, at) && !Call(code, at))
            {
                string shown = code is > 0x20 and < 0x7F ? $"'{(char)code}'" : $"0x{code:x2}";
                throw Bad(at, $"it has the instruction {shown}, which no saved tensors need");
            }
        }
    }

    private bool Literal(byte code)
    {
        switch ((char)code)
        {
            case '\x80': input.Byte("a pickle"); return true; // protocol
            case '\x95': input.Count("a frame"); return true; // all is read as it comes: frames only help readers to buffer
            case 'N': return Push(null);
            case '\x88': return Push(true);
            case '\x89': return Push(false);
            case 'K': return Push((long)input.Byte("a number"));
            case 'M': return Push((long)(input.Byte("a number") | (input.Byte("a number") << 8)));
            case 'J': return Push((long)input.Int32("a number"));
            case '\x8a': return Long(input.Byte("a number"));
            case '\x8b': return Long(input.UInt32("a number"));
            case 'G': input.Take(8, "a number"); return Push(PickleOther.Instance);
            case 'X' or 'T': return Text(input.UInt32("a text"));
            case '\x8c' or 'U': return Text(input.Byte("a text"));
            case '\x8d': return Text(input.Count("a text"));
            case 'C': return Skip(input.Byte("bytes"));
            case 'B': return Skip(input.UInt32("bytes"));
            case '\x8e': return Skip(input.Count("bytes"));
            default: return false;
        }
    }

    private bool Structure(byte code, long at)
    {
        switch ((char)code)
        {
            case '(': return Push(Mark);
            case '0': Pop(at); return true;
            case '1': PopToMark(at); return true;
            case '2': return Push(Top(at));
            case '}': return Push(new PickleDictionary());
            case ']' or '\x8f': return Push(new PickleList());
            case ')': return Push(new PickleTuple([]));
            case 't': return Push(new PickleTuple(PopToMark(at)));
            case '\x85': return Push(new PickleTuple(Pop(at, 1)));
            case '\x86': return Push(new PickleTuple(Pop(at, 2)));
            case '\x87': return Push(new PickleTuple(Pop(at, 3)));
            case 'l':
                var list = new PickleList();
                list.Items.AddRange(PopToMark(at));
                return Push(list);
            case 'd':
                var made = new PickleDictionary();
                Set(made, PopToMark(at), at);
                return Push(made);
            case 'a':
                object? item = Pop(at);
                Top<PickleList>(at).Items.Add(item);
                return true;
            case 'e' or '\x90':
                var items = PopToMark(at);
                Top<PickleList>(at).Items.AddRange(items);
                return true;
            case 's':
                var pair = Pop(at, 2);
                Set(Top<PickleDictionary>(at), pair, at);
                return true;
            case 'u':
                var pairs = PopToMark(at);
                Set(Top<PickleDictionary>(at), pairs, at);
                return true;
            case 'q': return Remember(input.Byte("a pickle"), at);
            case 'r': return Remember(input.UInt32("a pickle"), at);
            case '\x94': return Remember(memo.Count, at);
            case 'h': return Push(Recall(input.Byte("a pickle"), at));
            case 'j': return Push(Recall(input.UInt32("a pickle"), at));
            default: return false;
        }
    }

    private bool Call(byte code, long at)
    {
        switch ((char)code)
        {
            case 'c':
                string module = Line();
                return Push(Global(module, Line(), at));
            case '\x93':
                var names = Pop(at, 2);
                return names[0] is string a && names[1] is string b ? Push(Global(a, b, at)) : throw Bad(at, "a global has no name");
            case 'R':
                var call = Pop(at, 2);
                if (call[0] is not PickleGlobal global || call[1] is not PickleTuple arguments)
                {
                    throw Bad(at, "it calls what is no function");
                }

                Charge((arguments.Items.FirstOrDefault() as PickleList)?.Items.Count ?? 0);
                return Push(Rebuild.Call(global, arguments.Items) ?? throw Bad(
                    at, $"it calls {global.Name} with other arguments than PyTorch writes for dense tensors"));
            case 'b':
                // The state of an object: of a dictionary, attributes such as PyTorch's _metadata, which say nothing of tensors.
                Pop(at);
                Top<PickleDictionary>(at);
                return true;
            case 'Q':
                return Push(Rebuild.Storage(Pop(at)) ?? throw Bad(at, "it has a persistent id that is no storage"));
            default:
                return false;
        }
    }

    private PickleGlobal Global(string module, string name, long at) => Globals.Find(module, name) ?? throw Bad(
        at,
        $"it asks for {Quote.Name(module + "." + name)}, which is refused: only tensors and plain data are read, and no code in a file is run; "
        + "load it in PyTorch and save its state_dict() alone");

    private void Set(PickleDictionary dictionary, object?[] pairs, long at)
    {
        if (pairs.Length % 2 != 0)
        {
            throw Bad(at, "a key has no value");
        }

        for (int i = 0; i < pairs.Length; i += 2)
        {
            dictionary.Items.Add(new(pairs[i], pairs[i + 1]));
        }
    }

    private bool Remember(long index, long at)
    {
        Charge(1);
        memo[index] = Top(at);
        return true;
    }

    private object? Recall(long index, long at) => memo.TryGetValue(index, out object? value) ? value : throw Bad(at, $"it recalls the value {index}, which it never kept");

    private bool Push(object? value)
    {
        Charge(1);
        stack.Add(value);
        return true;
    }

    private void Charge(int count)
    {
        values += count;
        if (values > MaxValues)
        {
            throw input.Bad($"its pickle has more than {MaxValues} values; save the state_dict() alone");
        }
    }

    private object? Pop(long at) => Pop(at, 1)[0];

    private object?[] Pop(long at, int count)
    {
        int first = stack.Count - count;
        if (first < 0 || stack.LastIndexOf(Mark, stack.Count - 1, Math.Min(count, stack.Count)) >= 0)
        {
            throw Bad(at, "it takes a value that is not there");
        }

        object?[] taken = [.. stack.GetRange(first, count)];
        stack.RemoveRange(first, count);
        return taken;
    }

    private object?[] PopToMark(long at)
    {
        int mark = stack.LastIndexOf(Mark);
        if (mark < 0)
        {
            throw Bad(at, "it takes values up to a mark that is not there");
        }

        object?[] taken = [.. stack.GetRange(mark + 1, stack.Count - mark - 1)];
        stack.RemoveRange(mark, stack.Count - mark);
        return taken;
    }

    private object? Top(long at)
    {
        object? top = stack.Count > 0 ? stack[stack.Count - 1] : Mark;
        return top != Mark ? top : throw Bad(at, "it uses a value that is not there");
    }

    private T Top<T>(long at)
        where T : class => Top(at) as T ?? throw Bad(at, "it adds to a value that cannot be added to");

    // Two's complement, as many bytes as are needed. The only number of more than eight is the magic one of old files.
    private bool Long(long byteCount)
    {
        if (byteCount > 32)
        {
            throw input.Bad($"its pickle has a number of {byteCount} bytes at byte {input.Position}");
        }

        var value = new BigInteger(input.Take((int)byteCount, "a number").ToArray());
        return value >= long.MinValue && value <= long.MaxValue ? Push((long)value) : Push(value);
    }

    // Names of tensors are short; what is longer is passed over.
    private bool Text(long count) => count > HeaderReader.MaxNameBytes ? Skip(count) : Push(input.Text(count, "a text"));

    private bool Skip(long count)
    {
        input.Skip(count, "bytes in a pickle");
        return Push(PickleOther.Instance);
    }

    private string Line()
    {
        var text = new StringBuilder();
        for (byte next; (next = input.Byte("a pickle")) != '\n';)
        {
            text.Append((char)next);
            if (text.Length > 1024)
            {
                throw input.Bad($"its pickle has a line of more than 1024 characters before byte {input.Position}");
            }
        }

        return text.ToString();
    }

    private ModelFormatException Bad(long at, string message) =>
        input.Bad($"its pickle is not one that PyTorch writes for tensors: at byte {at} {message}");
}
