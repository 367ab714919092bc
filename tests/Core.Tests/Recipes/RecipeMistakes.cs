using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Recipes;

/// <summary>Each mistake of a recipe, alone: its code, its place, and what the message tells.</summary>
public class Mistake
{
    public static TheoryData<string, string, int, int, string> All => new()
    {
        // syntax
        { "bits: [4", "CMPR1001", 1, 9, "did not find expected ',' or ']'" },
        { "method: higgs\nbits: 'x", "CMPR1001", 2, 7, "unexpected end of stream" },
        { "bits: 4\n  seed: 1", "CMPR1001", 2, 7, "check the indentation" },
        { "layers:\n- match: x\n bits: 4", "CMPR1001", 3, 2, "check the indentation" },
        { "gate:\n\trelativeError: 0.1", "CMPR1001", 2, 1, "tab" },
        { "gate:\n  \trelativeError: 0.1", "CMPR1001", 2, 3, "spaces" },
        { "layers: [\nlm_head]", "CMPR1001", 1, 9, "not indented" },
        { "layers:\n- : [a", "CMPR1001", 2, 6, "did not find expected" },
        { "- : ts: 4", "CMPR1001", 1, 10, "did not find expected value" },
        { "bits: 4\nbits: 5", "CMPR1001", 2, 1, "'bits' is given twice, first in line 1" },
        { "bits: 4\r\nseed: 1\r\nbits: 5", "CMPR1001", 3, 1, "first in line 1" },
        { "bits: 4\n---\nbits: 4", "CMPR1001", 2, 1, "second document" },
        { "bits: &b 4", "CMPR1001", 1, 7, "anchors (&b)" },
        { "seed: 1\nbits: *b", "CMPR1001", 2, 7, "alias" },
        { "layers:\n- match: *.norm.weight\n  bits: 4", "CMPR1001", 2, 10, "\"*.norm.weight\"" },
        { "layers:\n- match: *\n  bits: 4", "CMPR1001", 2, 10, "quotes" },
        { "layers:\n- match: @x\n  bits: 4", "CMPR1001", 2, 10, "cannot begin with '@'" },
        { "<<: {bits: 4}", "CMPR1001", 1, 1, "merge keys" },
        { "bits: !!int 4", "CMPR1001", 1, 7, "tags" },
        { "seed: 1\nbits: !<%> 4", "CMPR1001", 2, 7, "tag" },
        { "? [bits]\n: 4", "CMPR1001", 1, 3, "a list as a key" },
        { "bits: \u0007 4", "CMPR1001", 1, 7, "U+0007" },
        { "# ok\nseed: 1\u0000\nbits: 99", "CMPR1001", 2, 8, "U+0000" },

        // keys
        { "bit: 4", "CMPR1002", 1, 1, "unknown key 'bit', expected one of version, method" },
        { "Bits: 4", "CMPR1002", 1, 1, "; did you mean 'bits'?" },
        { "group_size: 64", "CMPR1002", 1, 1, "did you mean 'groupSize'?" },
        { "seed: 1\nlayer: []", "CMPR1002", 2, 1, "did you mean 'layers'?" },
        { "x: 4", "CMPR1002", 1, 1, "unknown key 'x', expected one of version, method, keep, choose, minBits, maxBits, group, layers, seed, nonFinite, budget, calibration, gate, bits, p, groupSize" },
        { "mehtod: higgs", "CMPR1002", 1, 1, "; did you mean 'method'?" },
        { "quantization: 4", "CMPR1002", 1, 1, "expected one of version, method, keep, choose, minBits, maxBits, group, layers, seed, nonFinite, budget, calibration, gate, bits, p, groupSize" },
        { "budget: {bit: 3}", "CMPR1002", 1, 10, "unknown key 'bit', expected one of bits, size; did you mean 'bits'?" },
        { "budget: 3", "CMPR1003", 1, 9, "found 3, expected 'bits', such as 3.25, or 'size', such as 9 MB" },
        { "budget: {bits: x}", "CMPR1003", 1, 16, "found 'x', expected bits per weight above 0, such as 3.25" },
        { "budget: {bits: 0}", "CMPR1004", 1, 16, "found 0, expected bits per weight above 0" },
        { "budget: {bits: 65}", "CMPR1004", 1, 16, "found 65" },
        { "budget: {size: 9 XB}", "CMPR1004", 1, 16, "found '9 XB', expected a number of bytes" },
        { "budget: {size: 0}", "CMPR1004", 1, 16, "found 0" },
        { "budget: {size: [1]}", "CMPR1004", 1, 16, "found a list" },
        { "budget: {bits: 3, size: 9 MB}", "CMPR1011", 1, 19, "two budgets; remove one of them" },
        { "budget: {}", "CMPR1012", 1, 9, "has no 'bits'" },
        { "minBits: 3", "CMPR1011", 1, 1, "'minBits' is for budgets, and the recipe has none; add 'budget', or remove it" },
        { "layers:\n- match: a\n  choose: [{keep: source}]", "CMPR1011", 3, 3, "'choose' is for budgets" },
        { "layers:\n- match: a\n  group: a", "CMPR1011", 3, 3, "'group' is for budgets" },
        { "budget: {bits: 3}\nminBits: 0", "CMPR1004", 2, 10, "found 0, expected an integer from 1 to 64" },
        { "budget: {bits: 3}\nmaxBits: few", "CMPR1003", 2, 10, "found 'few', expected an integer from 1 to 64" },
        { "budget: {bits: 3}\nminBits: 4\nmaxBits: 3", "CMPR1011", 3, 1, "minBits is 4 and maxBits 3: no number of bits is within" },
        { "budget: {bits: 3}\nmaxBits: 3\nlayers:\n- match: a\n  minBits: 5", "CMPR1011", 5, 3, "minBits is 5 and maxBits 3" },
        { "budget: {bits: 3}\nmethod: uniform\nmaxBits: 1", "CMPR1011", 3, 1, "method uniform has no width within minBits 2 and maxBits 1" },
        { "budget: {bits: 3}\nkeep: source\nminBits: 2", "CMPR1011", 3, 1, "'keep' leaves nothing to choose for 'minBits'; remove one of them" },
        { "budget: {bits: 3}\nlayers:\n- match: a\n  maxBits: 4\n  bits: 4", "CMPR1011", 5, 3, "'bits' leaves nothing to choose for 'maxBits'" },
        { "budget: {bits: 3}\nbits: 4\nchoose: [{method: uniform}]", "CMPR1011", 3, 1, "'bits' leaves nothing to choose for 'choose'" },
        { "budget: {bits: 3}\nchoose: uniform", "CMPR1003", 2, 9, "found 'uniform', expected a list of options" },
        { "budget: {bits: 3}\nchoose: []", "CMPR1004", 2, 9, "found a list, expected a list of options" },
        { "budget: {bits: 3}\nchoose: [uniform]", "CMPR1003", 2, 10, "found 'uniform', expected an option" },
        { "budget: {bits: 3}\nchoose: [{}]", "CMPR1012", 2, 10, "the option does not say what to do" },
        { "budget: {bits: 3}\nchoose: [{group: a}]", "CMPR1002", 2, 11, "unknown key 'group', expected one of method, keep, minBits, maxBits" },
        { "budget: {bits: 3}\nchoose: [{method: unifrom}]", "CMPR1005", 2, 19, "unknown method 'unifrom'" },
        { "budget: {bits: 3}\nchoose:\n- method: uniform\n  p: 2", "CMPR1006", 4, 3, "method uniform has no setting 'p'" },
        { "budget: {bits: 3}\nchoose:\n- keep: source\n  method: uniform", "CMPR1011", 4, 3, "'method' compresses and 'keep' does not" },
        { "budget: {bits: 3}\ngroup: 3", "CMPR1003", 2, 8, "found 3, expected the beginning of tensor names up to a dot" },
        { "budget: {bits: 3}\ngroup: model.", "CMPR1004", 2, 8, "expected the beginning of tensor names up to a dot" },
        { "calibration: {txt: a.txt, text: b.txt}", "CMPR1002", 1, 15, "unknown key 'txt', expected one of text, tokens, unit, window, seed, statistics; did you mean 'text'?" },
        { "calbration: {text: a.txt}", "CMPR1002", 1, 1, "did you mean 'calibration'?" },
        { "gate: {relativeErr: 0.1}", "CMPR1002", 1, 8, "did you mean 'relativeError'?" },
        { "layers:\n  - match: a\n    bits: 4\n    seed: 3", "CMPR1002", 4, 5, "expected one of match, method, keep, choose, minBits, maxBits, group, bits" },
        { "'': 4", "CMPR1002", 1, 1, "unknown key ''" },

        // types
        { "higgs", "CMPR1003", 1, 1, "found 'higgs', expected keys and values" },
        { "- bits: 4", "CMPR1003", 1, 1, "found a list" },
        { "bits: \"4\"", "CMPR1003", 1, 7, "found the text \"4\", expected an integer from 1 to 8; remove the quotes" },
        { "bits: four", "CMPR1003", 1, 7, "found 'four'" },
        { "bits: 4.0", "CMPR1003", 1, 7, "found 4.0, expected an integer" },
        { "bits:", "CMPR1003", 1, 1, "found no value" },
        { "bits: ~", "CMPR1003", 1, 7, "found no value" },
        { "bits: [4]", "CMPR1003", 1, 7, "found a list" },
        { "bits: {a: 4}", "CMPR1003", 1, 7, "found the key 'a'" },
        { "bits: true", "CMPR1003", 1, 7, "found true" },
        { "method: uniform\nsymmetric: yes", "CMPR1003", 2, 12, "found 'yes', expected true or false" },
        { "method: uniform\nsymmetric: 1", "CMPR1003", 2, 12, "found 1, expected true or false" },
        { "method: 4", "CMPR1003", 1, 9, "expected a method: one of higgs, uniform" },
        { "method:", "CMPR1003", 1, 1, "found no value" },
        { "version: one", "CMPR1003", 1, 10, "the integer 1" },
        { "keep: true", "CMPR1003", 1, 7, "one of source, float32, float16, bfloat16" },
        { "seed: 1e3", "CMPR1003", 1, 7, "found 1e3" },
        { "layers: {match: a}", "CMPR1003", 1, 9, "a list of rules" },
        { "layers: [lm_head]", "CMPR1003", 1, 10, "found 'lm_head', expected a rule" },
        { "layers:\n-\n- match: a\n  bits: 4", "CMPR1003", 2, 2, "found no value" },
        { "layers:\n- match: 4\n  bits: 4", "CMPR1003", 2, 10, "found 4, expected a pattern" },
        { "layers:\n- match: [a, [b]]\n  bits: 4", "CMPR1003", 2, 14, "found a list" },
        { "gate: 0.05", "CMPR1003", 1, 7, "'relativeError: 0.05'" },
        { "gate: {relativeError: 5%}", "CMPR1003", 1, 23, "found '5%'" },
        { "gate: {relativeError: .inf}", "CMPR1003", 1, 23, "found .inf" },
        { "gate: {relativeError: '0.1'}", "CMPR1003", 1, 23, "remove the quotes" },

        // values
        { "bits: 12", "CMPR1004", 1, 7, "found 12, expected an integer from 1 to 8" },
        { "method: uniform\nbits: 1", "CMPR1004", 2, 7, "found 1, expected an integer from 2 to 8" },
        { "bits: -4", "CMPR1004", 1, 7, "found -4" },
        { "bits: 99999999999999999999999999", "CMPR1004", 1, 7, "expected an integer from 1 to 8" },
        { "bits: 0xFF", "CMPR1004", 1, 7, "found 0xFF" },
        { "seed: -1", "CMPR1004", 1, 7, "an integer from 0 to 18446744073709551615" },
        { "seed: 18446744073709551616", "CMPR1004", 1, 7, "an integer from 0" },
        { "keep: float8", "CMPR1004", 1, 7, "did you mean 'float" },
        { "method: uniform\ngranularity: chanel", "CMPR1004", 2, 14, "did you mean 'channel'?" },
        { "nonFinite: ignore", "CMPR1004", 1, 12, "one of error, keep" },
        { "calibration: a.txt", "CMPR1003", 1, 14, "found 'a.txt', expected 'text', or 'statistics'" },
        { "calibration: {text: [a]}", "CMPR1003", 1, 21, "the path of a file" },
        { "calibration: {text: a, tokens: all}", "CMPR1003", 1, 32, "an integer of at least 1" },
        { "calibration: {text: a, tokens: 0}", "CMPR1004", 1, 32, "an integer of at least 1" },
        { "calibration: {text: a, window: 1}", "CMPR1004", 1, 32, "an integer of at least 2" },
        { "calibration: {text: a, unit: paragraphs}", "CMPR1004", 1, 30, "did you mean 'paragraph'?" },
        { "calibration: {text: a, seed: -1}", "CMPR1004", 1, 30, "an integer from 0 to" },
        { "calibration: {tokens: 5}", "CMPR1012", 1, 14, "'calibration' has no 'text', the text that the model is run on, and no 'statistics'" },
        { "calibration: {statistics: a, seed: 1}", "CMPR1011", 1, 30, "'seed' is for statistics that are computed" },
        { "gate: {kl: 0.1}", "CMPR1003", 1, 12, "'text' and 'max'" },
        { "gate: {kl: {max: 0.1}}", "CMPR1012", 1, 12, "'kl' has no 'text'" },
        { "gate: {perplexity: {text: t}}", "CMPR1012", 1, 20, "'perplexity' has no 'increase'" },
        { "gate: {perplexity: {text: t, max: 1, increase: 1}}", "CMPR1002", 1, 30, "unknown key 'max'" },
        { "gate: {perplexity: {text: t, increase: 0%}}", "CMPR1003", 1, 40, "found '0%'" },
        { "gate: {perplexity: {text: t, increase: -1}}", "CMPR1004", 1, 40, "such as 2% or 0.02" },
        { "gate: {perplexity: {text: t, increase: nan%}}", "CMPR1003", 1, 40, "such as 2% or 0.02" },
        { "gate: {kl: {text: t, max: 1, window: 1}}", "CMPR1004", 1, 38, "at least 2" },
        { "gate: {kl: {text: t, max: 1, unit: page}}", "CMPR1004", 1, 36, "one of document, paragraph" },
        { "gate: {severity: fatal}", "CMPR1004", 1, 18, "one of error, warning" },
        { "gate: {relativeError: 0}", "CMPR1004", 1, 23, "above 0 and up to 1" },
        { "gate: {relativeError: 5}", "CMPR1004", 1, 23, "found 5" },
        { "layers:\n- match: ''\n  bits: 4", "CMPR1004", 2, 10, "1 to 1024 characters" },
        { "layers:\n- match: []\n  bits: 4", "CMPR1004", 2, 10, "a pattern of tensor names" },

        // methods
        { "method: higs", "CMPR1005", 1, 9, "unknown method 'higs', expected a method: one of higgs, uniform; did you mean 'higgs'?" },
        { "method: q4_k", "CMPR1005", 1, 9, "one of higgs, uniform" },
        { "method: keep", "CMPR1005", 1, 9, "write 'keep: source' instead" },
        { "method: higs\nbits: 3\nlayers:\n- match: a\n  bits: 12", "CMPR1005", 1, 9, "higgs" },
        { "symmetric: true", "CMPR1006", 1, 1, "method higgs has no setting 'symmetric' (uniform has); it has bits, p, groupSize" },
        { "method: uniform\nlayers:\n- match: a\n  p: 1", "CMPR1006", 4, 3, "method uniform has no setting 'p'" },

        // version, conflicts, what is missing
        { "version: 2", "CMPR1010", 1, 10, "found version 2" },
        { "method: higgs\nkeep: source", "CMPR1011", 2, 1, "remove one of them" },
        { "keep: source\nmethod: higgs", "CMPR1011", 2, 1, "remove one of them" },
        { "keep: source\nbits: 4", "CMPR1011", 2, 1, "'bits' is a setting of a method" },
        { "groupSize: 100", "CMPR1011", 1, 1, "found 100, expected a power of two" },
        { "groupSize: 128\nlayers:\n- match: a\n  groupSize: 100", "CMPR1011", 4, 3, "power of two" },
        { "layers:\n- bits: 4", "CMPR1012", 2, 3, "no 'match'" },
        { "layers:\n- {}", "CMPR1012", 2, 3, "no 'match'" },
        { "layers:\n- match: a", "CMPR1012", 2, 3, "does not say what to do" },
    };

    [Theory, MemberData(nameof(All))]
    public void IsOneErrorAtItsPlace(string text, string code, int line, int column, string fragment)
    {
        var (recipe, diagnostics) = Recipes.Parse(text);

        Assert.Null(recipe);
        var error = Assert.Single(diagnostics);
        Assert.Equal((code, line, column, Severity.Error), (error.Code, error.Line, error.Column, error.Severity));
        Assert.Contains(fragment, error.Message, StringComparison.Ordinal);
        Assert.Equal("/models/compress.yaml", error.File);
    }
}
