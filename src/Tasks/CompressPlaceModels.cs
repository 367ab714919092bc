using System;
using Microsoft.Build.Framework;

namespace Compress.Tasks;

/// <summary>Runs after the engine: decides anew where the models go, for now they have a size.</summary>
[MSBuildMultiThreadableTask]
public sealed class CompressPlaceModels : PlacingTask
{
    /// <inheritdoc/>
    protected override void Run() => Place(Array.ConvertAll(Models, ResolvedModel.FromItem));
}
