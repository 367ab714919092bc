using System.Text.Json;
using System.Text.Json.Serialization;
using Compress.Cli.Builds;
using Compress.Cli.Commands;
using Compress.Cli.Inspection;
using Compress.Cli.Projects;
using Compress.Core.Calibration;

namespace Compress.Cli;

/// <summary>The JSON that the program reads and writes; generated code, so that nothing is looked up at start.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // the perplexity of a model that was destroyed
    WriteIndented = true,
    NewLine = "\n")]
[JsonSerializable(typeof(EvalReport))]
[JsonSerializable(typeof(ModelListing))]
[JsonSerializable(typeof(StatisticsSummary))]
[JsonSerializable(typeof(List<ProjectListing>))]
[JsonSerializable(typeof(BuildRequest))]
[JsonSerializable(typeof(InputRecord))]
internal sealed partial class JsonForms : JsonSerializerContext;
