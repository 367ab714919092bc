using System;
using System.Collections.Generic;
using System.Linq;

namespace Compress.Tasks.Loader;

/// <summary>
/// Writes what one class has of its shape: a property per named child, an indexer for numbered ones, <c>Tensor</c> for the tensor of the very name.
/// Each is created at its first use and kept in a field, so that walking the tree costs nothing afterwards. Two threads may
/// create the same twice; either will do.
/// </summary>
internal sealed class ShapeEmitter
{
    private readonly CodeWriter code;
    private readonly NodeShape shape;
    private readonly IReadOnlyList<string> members;
    private readonly string packed;
    private readonly ElementEmitter? elements;

    /// <param name="code">Receives the text.</param>
    /// <param name="shape">What to write.</param>
    /// <param name="members">The identifiers of the shape's members.</param>
    /// <param name="packed">The expression for the packed model.</param>
    public ShapeEmitter(CodeWriter code, NodeShape shape, IReadOnlyList<string> members, string packed)
    {
        this.code = code;
        this.shape = shape;
        this.members = members;
        this.packed = packed;
        elements = shape.Element is null ? null : new ElementEmitter(code, shape, packed);
    }

    private bool HasTensor => shape.Places.Any(place => place.Tensor is not null);

    /// <summary>Writes the class of a node.</summary>
    public static void WriteClass(CodeWriter code, NodeShape shape)
    {
        var scope = new NameScope([.. OwnNames.OfNode, .. OwnNames.Inherited, shape.TypeName]);
        var emitter = new ShapeEmitter(code, shape, scope.Take([.. shape.Members.Select(member => member.Segment)]), "_packed");
        code.Summary($"<c>{CSharpText.Doc(shape.Pattern)}</c>");
        code.Block("public sealed class " + shape.TypeName, () =>
        {
            code.Line($"private readonly {Types.Model} _packed;");
            if (shape.IsBelowNumber)
            {
                code.Line("private readonly string _prefix;");
            }

            emitter.WriteFields();
            code.Block($"internal {shape.TypeName}({Types.Model} packed{(shape.IsBelowNumber ? ", string prefix" : "")})", () =>
            {
                code.Line("_packed = packed;");
                if (shape.IsBelowNumber)
                {
                    code.Line("_prefix = prefix;");
                }

                emitter.WriteInitialization();
            });
            emitter.WriteMembers();
        });
    }

    /// <summary>Writes the fields that keep what has been created, and an empty line.</summary>
    public void WriteFields()
    {
        if (HasTensor)
        {
            code.Line($"private {Types.Tensor}? _Tensor;");
        }

        for (int i = 0; i < members.Count; i++)
        {
            code.Line($"private {TypeOf(shape.Members[i].Shape)}? _{members[i]};");
        }

        elements?.WriteFields();
        code.Line();
    }

    /// <summary>Writes the constructor's part.</summary>
    public void WriteInitialization() => elements?.WriteInitialization();

    /// <summary>Writes the properties, each with an empty line before it.</summary>
    public void WriteMembers()
    {
        if (HasTensor)
        {
            string create = $"_Tensor ??= {packed}[{(shape.IsBelowNumber ? "_prefix" : CSharpText.Literal(shape.Places[0].Name))}]";
            WriteProperty("Tensor", Types.Tensor, Describe(shape), create, place => place.Tensor is not null);
        }

        for (int i = 0; i < members.Count; i++)
        {
            var member = shape.Members[i];
            string name = member.Shape.IsBelowNumber
                ? "_prefix + " + CSharpText.Literal("." + member.Segment)
                : CSharpText.Literal(member.Shape.Places[0].Name);
            string create = $"_{members[i]} ??= " + Create(member.Shape, packed, name);
            WriteProperty(members[i], TypeOf(member.Shape), Describe(member.Shape), create, place => place.Named.ContainsKey(member.Segment));
        }

        elements?.WriteMembers();
    }

    /// <summary>The type by which code reaches a shape.</summary>
    public static string TypeOf(NodeShape shape) => shape.IsTensor ? Types.Tensor : shape.TypeName;

    /// <summary>The expression that opens a tensor, or creates the node that stands for several.</summary>
    public static string Create(NodeShape shape, string packed, string name) =>
        shape.IsTensor ? $"{packed}[{name}]"
        : shape.IsBelowNumber ? $"new {shape.TypeName}({packed}, {name})"
        : $"new {shape.TypeName}({packed})";

    /// <summary>What documentation says of a shape.</summary>
    public static string Describe(NodeShape shape) => $"<c>{CSharpText.Doc(shape.Pattern)}</c>"
        + (shape.Places.Any(place => place.Tensor is not null) ? ": " + ShapeText.Kinds(shape.Places) : "");

    private void WriteProperty(string name, string type, string description, string create, Func<NameTree, bool> exists)
    {
        code.Line();
        NameTree[] present = [.. shape.Places.Where(exists)];
        if (present.Length == shape.Places.Count)
        {
            code.Summary(description + ".");
            code.Line($"public {type} {name} => {create};");
            return;
        }

        code.Summary($"{description}. Only{ShapeText.Where(present)}, else null.");
        code.Block($"public {type}? {name}", () => code.Block("get", () =>
            PlaceSwitch.Write(code, shape.Places, place => exists(place) ? create : "null")));
    }
}
