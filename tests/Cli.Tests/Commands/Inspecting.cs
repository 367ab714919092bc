using System.Text.Json;
using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Commands;

public sealed class Inspecting : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public void ASourceShowsItsTensors()
    {
        var outcome = workspace.Run("inspect", workspace.Model(TestModel.Ordinary()));
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        string[] lines = outcome.Output.TrimEnd().Split('\n');
        Assert.Matches(@"^name +shape +dtype +codec +bits/weight +bytes$", lines[0]);
        Assert.Matches(@"^layers\.0\.down\.weight +\[80, 48\] +F32 +- +32\.00 +15,360$", lines[1]);
        Assert.Matches(@"^positions +\[3\] +I64 +- +64\.00 +24$", lines[4]);
        Assert.Matches(@"^source model: 4 tensors, 7,763 weights, \d\d\.\d kB$", lines[5]);
        Assert.Equal(6, lines.Length);
    }

    [Fact]
    public void APackedModelShowsItsCodecs()
    {
        var outcome = workspace.Run("inspect", workspace.Packed(workspace.Model(TestModel.Ordinary())));
        string[] lines = outcome.Output.TrimEnd().Split('\n');
        Assert.Matches(@"^layers\.0\.down\.weight +\[80, 48\] +F32 +higgs +\d\.\d\d +\d,\d+$", lines[1]);
        Assert.Matches(@"^positions +\[3\] +I64 +keep +64\.00 +24$", lines[4]);
        Assert.Matches(@"^packed model: 4 tensors, 7,763 weights, \d\.\d\d kB, \d\.\d\d bits per compressed weight$", lines[5]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void JsonSaysTheSame(bool isPacked)
    {
        string model = workspace.Model(TestModel.Ordinary());
        string file = isPacked ? workspace.Packed(model) : model;
        using var json = JsonDocument.Parse(workspace.Run("inspect", file, "--json").Output);
        var root = json.RootElement;
        Assert.Equal(["file", "packed", "bytes", "weights", "bitsPerWeight", "tensors"], root.EnumerateObject().Select(property => property.Name));
        Assert.Equal(file, root.GetProperty("file").GetString());
        Assert.Equal(isPacked, root.GetProperty("packed").GetBoolean());
        Assert.Equal(new FileInfo(file).Length, root.GetProperty("bytes").GetInt64());
        Assert.Equal(isPacked ? JsonValueKind.Number : JsonValueKind.Null, root.GetProperty("bitsPerWeight").ValueKind);
        var first = root.GetProperty("tensors")[0];
        Assert.Equal(["name", "shape", "dtype", "codec", "bitsPerWeight", "bytes"], first.EnumerateObject().Select(property => property.Name));
        Assert.Equal("F32", first.GetProperty("dtype").GetString());
        Assert.Equal(isPacked ? "higgs" : null, first.GetProperty("codec").GetString());
    }

    [Fact]
    public void AnEmptyPackedModelHasNoBits()
    {
        TestModel.WriteRaw(workspace["p.safetensors"], """{"__metadata__":{"compress":"{\"version\":1,\"tensors\":{}}"}}""", []);
        Assert.EndsWith("packed model: 0 tensors, 0 weights, 70 bytes\n", workspace.Run("inspect", "p.safetensors").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsNoModelIsAnError() =>
        workspace.Run("inspect", workspace.Text("notes.txt", "hello")).Single(Codes.ModelUnknownFormat);

    public void Dispose() => workspace.Dispose();
}
