using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Compress.Tasks.Loader;

/// <summary>Writes the numbered children of a class: an indexer and <c>Count</c>, and <c>Numbers</c> where some are left out.</summary>
internal sealed class ElementEmitter
{
    private readonly CodeWriter code;
    private readonly NodeShape shape;
    private readonly NodeShape element;
    private readonly string packed;
    private readonly bool hasGaps;
    private readonly bool sameEverywhere;

    /// <param name="code">Receives the text.</param>
    /// <param name="shape">The class; it has an element.</param>
    /// <param name="packed">The expression for the packed model.</param>
    public ElementEmitter(CodeWriter code, NodeShape shape, string packed)
    {
        this.code = code;
        this.shape = shape;
        this.packed = packed;
        element = shape.Element!;
        hasGaps = shape.Places.Any(place => place.Numbered.Count > 0 && place.Numbered.Keys.Max() != place.Numbered.Count - 1);
        sameEverywhere = shape.Places.Select(NumbersAt).Distinct().Count() == 1;
    }

    private string Type => ShapeEmitter.TypeOf(element);

    public void WriteFields()
    {
        if (hasGaps)
        {
            code.Line("private readonly int[] _numbers;");
        }

        code.Line($"private readonly {Type}?[] _items;");
    }

    public void WriteInitialization()
    {
        if (hasGaps)
        {
            code.Line($"_numbers = {(sameEverywhere ? NumbersAt(shape.Places[0]) : "NumbersHere()")};");
        }

        string count = hasGaps ? "_numbers.Length" : sameEverywhere ? CountAt(shape.Places[0]) : "CountHere()";
        code.Line($"_items = new {Type}?[{count}];");
    }

    public void WriteMembers()
    {
        string pattern = CSharpText.Doc(element.Pattern);
        code.Line();
        code.Summary($"How many <c>{pattern}</c> there are.");
        code.Line("public int Count => _items.Length;");
        if (hasGaps)
        {
            code.Line();
            code.Summary($"The numbers of <c>{pattern}</c>, ascending; some are left out.");
            code.Line("public global::System.ReadOnlySpan<int> Numbers => _numbers;");
        }

        WriteIndexer();
        if (!sameEverywhere)
        {
            code.Line();
            code.Block(hasGaps ? "private int[] NumbersHere()" : "private int CountHere()", () =>
                PlaceSwitch.Write(code, shape.Places, hasGaps ? NumbersAt : CountAt));
        }
    }

    private static string CountAt(NameTree place) => place.Numbered.Count.ToString(CultureInfo.InvariantCulture);

    private static string NumbersAt(NameTree place) =>
        $"new int[] {{ {string.Join(", ", place.Numbered.Keys.Select(number => number.ToString(CultureInfo.InvariantCulture)))} }}";

    private void WriteIndexer()
    {
        string range = !sameEverywhere ? (hasGaps ? "one of Numbers" : "0 to Count - 1")
            : (hasGaps ? "one of " : "") + ShapeText.Ranges([.. shape.Places[0].Numbered.Keys]);
        code.Line();
        code.Summary(ShapeEmitter.Describe(element) + ".");
        code.Line($"/// <param name=\"number\">{range}.</param>");
        code.Line("/// <exception cref=\"global::System.ArgumentOutOfRangeException\">There is none of that number.</exception>");
        code.Block($"public {Type} this[int number]", () => code.Block("get", () =>
        {
            string slot = "number";
            if (hasGaps)
            {
                code.Line("int slot = global::System.Array.BinarySearch(_numbers, number);");
                slot = "slot";
            }

            code.Block(hasGaps ? "if (slot < 0)" : "if (number < 0 || number >= _items.Length)", () =>
                code.Line("throw new global::System.ArgumentOutOfRangeException(nameof(number), number, "
                    + CSharpText.Literal($"{Shorten(element.Pattern)}: the number is {range}.") + ");"));
            code.Line();
            code.Line($"return _items[{slot}] ??= {ShapeEmitter.Create(element, packed, ElementName())};");
        }));
    }

    private string ElementName()
    {
        const string Number = "number.ToString(global::System.Globalization.CultureInfo.InvariantCulture)";
        string pattern = element.Pattern;
        return shape.IsBelowNumber ? $"_prefix + \".\" + {Number}"
            : pattern.Length == 1 ? Number // the numbers are the first segments
            : CSharpText.Literal(pattern.Substring(0, pattern.Length - 1)) + " + " + Number;
    }

    private static string Shorten(string pattern) => pattern.Length <= 100 ? pattern : pattern.Substring(0, 100) + "...";
}
