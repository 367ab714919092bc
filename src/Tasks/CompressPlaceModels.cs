using System.Collections.Generic;
using System.IO;
using System.Linq;
using Compress.Core.Diagnostics;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>Decides, by the size of the packed files, which models are embedded and which go beside the app as files.</summary>
[MSBuildMultiThreadableTask]
public sealed class CompressPlaceModels : CompressTask
{
    // Assemblies hold less than 2 GiB; the compiler fails near it.
    private const long MostThatEmbeds = 2_000_000_000;

    /// <summary>What <see cref="CompressResolveModels"/> resolved.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The largest packed model that <c>Storage="Auto"</c> embeds, such as <c>1 GiB</c>.</summary>
    [Required]
    public string EmbedLimit { get; set; } = "";

    /// <summary>Packed files to embed.</summary>
    [Output]
    public ITaskItem[] Embedded { get; private set; } = [];

    /// <summary>Packed files to copy beside the app.</summary>
    [Output]
    public ITaskItem[] Copied { get; private set; } = [];

    /// <inheritdoc/>
    protected override void Run()
    {
        if (!ByteSize.TryParse(EmbedLimit, out long limit))
        {
            Diagnostics.ItemError(
                Codes.ArgumentInvalid, $"CompressEmbedLimit is '{EmbedLimit}'; expected {ByteSize.Expected}");
            return;
        }

        var embedded = new List<ITaskItem>();
        var copied = new List<ITaskItem>();
        foreach (ResolvedModel model in Models.Select(ResolvedModel.FromItem))
        {
            long length = File.Exists(model.PackedFile) ? new FileInfo(model.PackedFile).Length : 0;
            bool embed = model.Storage == ModelStorage.Embed || (model.Storage == ModelStorage.Auto && length <= limit);
            if (embed && length > MostThatEmbeds)
            {
                Diagnostics.ItemError(
                    Codes.ItemBadMetadata, $"'{model.Source}' packs to {length} bytes, and an assembly cannot hold more than {MostThatEmbeds}; set Storage=\"File\"");
                continue;
            }

            var item = new TaskItem(ItemText.Escape(model.PackedFile));
            item.SetMetadata("DeployedName", model.DeployedName);
            (embed ? embedded : copied).Add(item);
        }

        Embedded = [.. embedded];
        Copied = [.. copied];
    }
}
