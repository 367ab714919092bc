using System.Text.RegularExpressions;
using Compress.Core.Recipes;

namespace Compress.Core.Tests.Recipes;

/// <summary>Patterns over tensor names.</summary>
public class GlobPattern
{
    [Theory]
    [InlineData("lm_head.weight", "lm_head.weight")]
    [InlineData("*", "")]
    [InlineData("*", "model.layers.0.q.weight")]
    [InlineData("**", "a")]
    [InlineData("*.norm.weight", "model.layers.0.norm.weight")]
    [InlineData("model.layers.?.q.weight", "model.layers.3.q.weight")]
    [InlineData("*a*b*a", "xaxbxbaxa")]
    [InlineData("a*", "a")]
    [InlineData("[ab].+", "[ab].+")]
    [InlineData("?", "層")]
    public void Matches(string pattern, string name) => Assert.True(new Glob(pattern).IsMatch(name));

    [Theory]
    [InlineData("lm_head", "lm_head.weight")]
    [InlineData("weight", "lm_head.weight")]
    [InlineData("LM_HEAD.weight", "lm_head.weight")]
    [InlineData("?", "")]
    [InlineData("?", "ab")]
    [InlineData("a?", "a")]
    [InlineData("model.layers.?.q.weight", "model.layers.12.q.weight")]
    [InlineData("[ab]", "a")]
    [InlineData("a.b", "axb")]
    public void DoesNotMatch(string pattern, string name) => Assert.False(new Glob(pattern).IsMatch(name));

    [Fact]
    public void AgreesWithTheRegularExpression()
    {
        var random = new Random(5);
        for (int i = 0; i < 20_000; i++)
        {
            string pattern = Text("ab.*?", 8), name = Text("ab.", 10);
            string regex = $"\\A{Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal)}\\z";
            Assert.Equal(Regex.IsMatch(name, regex, RegexOptions.Singleline), new Glob(pattern).IsMatch(name));
        }

        string Text(string letters, int max) => string.Concat(Enumerable.Range(0, random.Next(max)).Select(_ => letters[random.Next(letters.Length)]));
    }

    /// <summary>A backtracking matcher would take longer than the universe has.</summary>
    [Fact]
    public void ManyStarsAreNoTrap() =>
        Assert.False(new Glob(string.Concat(Enumerable.Repeat("a*", 500)) + "b").IsMatch(new string('a', 10_000)));
}
