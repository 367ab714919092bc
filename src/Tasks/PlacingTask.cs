using System.Collections.Generic;
using System.IO;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>Decides, by the size of the packed files, which models are embedded and which go beside the app as files.</summary>
public abstract class PlacingTask : CompressTask
{
    // Assemblies hold less than 2 GiB; the compiler fails near it.
    private const long MostThatEmbeds = 2_000_000_000;

    /// <summary>The largest packed model that <c>Storage="Auto"</c> embeds, such as <c>1 GiB</c>.</summary>
    public string EmbedLimit { get; set; } = "";

    /// <summary>Packed files to embed, with <c>LogicalName</c>.</summary>
    [Output]
    public ITaskItem[] Embedded { get; private set; } = [];

    /// <summary>Packed files to copy beside the app, with <c>Link</c>.</summary>
    [Output]
    public ITaskItem[] Copied { get; private set; } = [];

    /// <summary>Fills in the outputs. A file that does not exist yet counts as empty.</summary>
    internal void Place(IReadOnlyList<ResolvedModel> models)
    {
        if (!ByteSize.TryParse(EmbedLimit, out long limit))
        {
            Diagnostics.ItemError(
                Codes.ArgumentInvalid, $"CompressEmbedLimit is '{EmbedLimit}'; expected {ByteSize.Expected}");
            return;
        }

        var embedded = new List<ITaskItem>();
        var copied = new List<ITaskItem>();
        foreach (ResolvedModel model in models)
        {
            var file = new FileInfo(model.PackedFile);
            long length = file.Exists ? file.Length : 0;
            bool embed = model.Storage == ModelStorage.Embed || (model.Storage == ModelStorage.Auto && length <= limit);
            if (embed && length > MostThatEmbeds)
            {
                Diagnostics.ItemError(
                    Codes.ItemBadMetadata, $"'{model.Source}' packs to {length} bytes, and an assembly cannot hold more than {MostThatEmbeds}; set Storage=\"File\"");
                continue;
            }

            var item = new TaskItem(ItemText.Escape(model.PackedFile));
            item.SetMetadata(embed ? "LogicalName" : "Link", model.DeployedName);
            (embed ? embedded : copied).Add(item);
        }

        Embedded = [.. embedded];
        Copied = [.. copied];
    }
}
