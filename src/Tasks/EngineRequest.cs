using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;

namespace Compress.Tasks;

/// <summary>The files that the task and the engine hand each other.</summary>
internal static class EngineRequest
{
    /// <summary>The text of the request: UTF-8 JSON, read by <c>compress msbuild</c>.</summary>
    /// <param name="jobs">The models to work on.</param>
    /// <param name="cache">The cache to use.</param>
    /// <param name="threads">How many threads the engine may use.</param>
    /// <param name="force">True to compute every layer anew.</param>
    /// <param name="explain">True to be told why layers are encoded.</param>
    /// <param name="page">The page to write about them; empty for none.</param>
    public static string Text(IEnumerable<ModelJob> jobs, CacheSettings cache, int threads, bool force, bool explain, string page)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("models");
            foreach (ModelJob job in jobs)
            {
                writer.WriteStartObject();
                writer.WriteString("model", job.Source);
                writer.WriteString("recipe", job.Recipe.Length > 0 ? job.Recipe : null);
                writer.WriteString("output", job.PackedFile);
                writer.WriteString("report", ResolvedModel.ReportFile(job.PackedFile));
                writer.WriteString("record", ResolvedModel.RecordFile(job.PackedFile));
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("cache", cache.Directory);
            writer.WriteString("cacheMode", cache.Mode);
            if (cache.MaxBytes is { } maxBytes)
            {
                writer.WriteNumber("cacheMaxBytes", maxBytes);
            }

            writer.WriteString("cacheSalt", cache.Salt);
            writer.WriteNumber("threads", threads);
            writer.WriteBoolean("force", force);
            writer.WriteBoolean("explain", explain);
            writer.WriteString("page", page.Length > 0 ? page : null);
            // The engine stops when this node ends, however it ends.
            using var node = Process.GetCurrentProcess();
            writer.WriteNumber("parent", node.Id);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>The files that the engine read for a model: <c>{"files":["/abs/…"]}</c>. Null if it did not say.</summary>
    public static IReadOnlyList<string>? FilesRead(string recordFile)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(recordFile));
            return [.. document.RootElement.GetProperty("files").EnumerateArray().Select(file => file.GetString()!)];
        }
        catch (Exception exception) when (exception is FileNotFoundException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
