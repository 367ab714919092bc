using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Core.Tests.Infra;
using Compress.Tests;
using FsCheck;
using FsCheck.Fluent;
using Xunit.Abstractions;

namespace Compress.Core.Tests.Hostile;

/// <summary>What holds for every input, well-formed ones and others, tried on generated ones.</summary>
[Collection(nameof(Fuzz))]
public sealed class Properties(ITestOutputHelper output) : IDisposable
{
    private static readonly Gen<string> Texts = ArbMap.Default.GeneratorFor<string>().Select(text => text ?? "");

    private readonly TempFolder folder = new();

    [Fact]
    public void AnyTextIsARecipeOrHasAnErrorWithItsPlace()
    {
        string[] pieces =
        [
            "version: 1\n", "method: higgs\n", "bits: 4\n", "layers:\n", "  - match: '*'\n", "    keep: float16\n", "gate:\n", "  relativeError: 0.1\n", "- ", ": ", "\n",
            "  ", "{", "}", "[", "]", "'", "\"", "#", "|", ">", "\t", "nonFinite: keep\n", "seed: 18446744073709551615\n", "groupSize: 64\n",
        ];
        var texts = Gen.OneOf(Gen.Elements(pieces), Texts).ListOf().Select(parts => string.Concat(parts));
        Check(texts, text =>
        {
            var diagnostics = new DiagnosticBag();
            var recipe = RecipeReader.Parse(Encoding.UTF8.GetBytes(text), "/compress.yaml", diagnostics);
            int lines = text.Split('\n', '\r', '\u0085', '\u2028', '\u2029').Length;
            return recipe is null == diagnostics.HasErrors
                && diagnostics.Items.All(item => item.Line >= 1 && item.Line <= lines + 1 && item.Column >= 1 && item.Column <= text.Length + 1);
        });
    }

    [Fact]
    public void NoFileNameInAnIndexLeadsOutOfItsFolder()
    {
        Directory.CreateDirectory(folder["deep", "inside"]);
        foreach (string place in new[] { folder["x.safetensors"], folder["deep", "x.safetensors"], folder["deep", "inside", "x.safetensors"] })
        {
            new TestModel().AddGaussian("w", 2, 2, 1).Write(place);
        }

        string inside = folder["deep", "inside"];
        string index = Path.Combine(inside, "model.safetensors.index.json");
        string[] pieces =
        [
            "..", ".", "/", "\\", "x.safetensors", "inside", "deep", "~", "%2e%2e", "\0", ":", "C:", "//", "file://", inside, folder.Path, " ", "．．", "‥",
        ];
        int opened = 0;
        string[] whole = ["x.safetensors", "../x.safetensors", "./x.safetensors", "../inside/x.safetensors", Path.Combine(inside, "x.safetensors")];
        var names = Gen.OneOf(Gen.Elements(whole), Gen.OneOf(Gen.Elements(pieces), Texts).ListOf().Select(parts => string.Concat(parts)));
        Check(names, name =>
        {
            File.WriteAllText(index, new JsonObject { ["weight_map"] = new JsonObject { ["w"] = name } }.ToJsonString());
            return Fuzz.Caught(() =>
            {
                using var model = ModelFile.Open(index);
                opened++;
                Assert.Equal([index, Path.Combine(inside, "x.safetensors")], model.Header.Files);
            }) is not { Code: not Codes.ModelMalformed };
        });
        output.WriteLine($"{opened} of {Effort.Mutations} opened");
        Assert.True(opened > 0);
    }

    [Fact]
    public void AnyHeaderGivesAModelOrADiagnostic()
    {
        string path = folder["model.safetensors"];
        var numbers = Gen.Elements("0", "1", "2", "3", "16", "-1", "1.5", "2147483647", "4294967296", "9223372036854775807", "18446744073709551616", "1e3", "null", "\"4\"");
        var lists = numbers.ListOf().Select(list => $"[{string.Join(",", list)}]");
        var types = Gen.Elements("\"F32\"", "\"BF16\"", "\"I64\"", "\"F8_E4M3\"", "\"f32\"", "\"\"", "7", "null", "[]");
        // Half of the tensors lie where they should, one behind the other.
        var tensors =
            from good in Gen.Elements(true, true, true, false)
            from length in Gen.Choose(0, 3)
            from type in types
            from shape in lists
            from offsets in lists
            from more in Gen.Elements("", ",\"x\":1", ",\"dtype\":\"F32\"")
            select good ? (length, "") : (0, $"{{\"dtype\":{type},\"shape\":{shape},\"data_offsets\":{offsets}{more}}}");
        var headers =
            from entries in Texts.Zip(tensors).ListOf()
            from metadata in Gen.Elements("", "\"__metadata__\":{},", "\"__metadata__\":{\"a\":\"b\"},", "\"__metadata__\":7,")
            from space in Gen.Choose(0, 3)
            select (Header(entries, metadata) + new string(' ', space), 4 * entries.Sum(entry => entry.Item2.Item1));
        int opened = 0;
        Check(headers, header =>
        {
            byte[] bytes = Encoding.UTF8.GetBytes(header.Item1);
            File.WriteAllBytes(path, [.. BitConverter.GetBytes(bytes.LongLength), .. bytes, .. new byte[header.Item2]]);
            return Fuzz.Caught(() =>
            {
                using var model = ModelFile.Open(path);
                opened++;
                Assert.All(model.Tensors, tensor => Assert.Equal(32, tensor.ContentHash().Length));
            }) is not { Code: not (Codes.ModelMalformed or Codes.ModelEmpty or Codes.ModelTensorTooLarge) };
        });
        output.WriteLine($"{opened} of {Effort.Mutations} opened");
        Assert.True(opened > 0);
    }

    [Fact]
    public void DifferentListsOfTextsHaveDifferentDigests() =>
        Check(Texts.ListOf().Two(), pair => pair.Item1.SequenceEqual(pair.Item2) == (LayerKey.DigestOf(pair.Item1) == LayerKey.DigestOf(pair.Item2)));

    public void Dispose() => folder.Dispose();

    private static string Header(IEnumerable<(string Name, (int Length, string Text) Tensor)> entries, string metadata)
    {
        var texts = new List<string>();
        int end = 0;
        foreach (var (name, (length, text)) in entries)
        {
            int start = end;
            end += 4 * length;
            texts.Add($"{JsonSerializer.Serialize(name)}:"
                + (text.Length > 0 ? text : $"{{\"dtype\":\"F32\",\"shape\":[{length}],\"data_offsets\":[{start},{end}]}}"));
        }

        return "{" + (texts.Count == 0 ? metadata.TrimEnd(',') : metadata + string.Join(',', texts)) + "}";
    }

    private void Check<T>(Gen<T> inputs, Func<T, bool> holds)
    {
        const ulong Seed = 20_260_401;
        const ulong Gamma = 7; // odd, as its generator demands
        Prop.ForAll(inputs.ToArbitrary(), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(Effort.Mutations).WithReplay(Seed, Gamma));
        output.WriteLine($"{Effort.Mutations} inputs from seed ({Seed}, {Gamma})");
    }
}
