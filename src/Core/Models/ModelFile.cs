using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;
using Compress.Core.Recipes.Locating;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models;

/// <summary>
/// A source model with its files mapped: nothing is read but what is asked for. Safe for several threads;
/// <see cref="Dispose"/> must wait until none is running.
/// </summary>
public sealed class ModelFile : IDisposable
{
    private readonly Dictionary<string, MappedBytes> maps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileStamp> stamps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SourceTensor> tensors = new(StringComparer.Ordinal);

    private ModelFile(string path, NamedStateDict? stateDict)
    {
        Header = ReadHeader(path, stateDict);
        try
        {
            Map(path, stateDict);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the model holds.</summary>
    public ModelHeader Header { get; }

    /// <summary>All tensors, by name in ordinal order.</summary>
    public IEnumerable<SourceTensor> Tensors => Header.Tensors.Select(tensor => tensors[tensor.Name]);

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public SourceTensor this[string name] => tensors[name];

    /// <summary>Opens a model: a file, or a folder that holds one, of any of the <see cref="ModelFormats"/>.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="stateDict">Which dictionary of a checkpoint is the model; null if none is named.</param>
    /// <exception cref="CompressException">
    /// It cannot be read, is of no known format, is malformed, does not say which of its dictionaries is the model, holds no tensor, has a tensor that no matrix can hold,
    /// or changed meanwhile.
    /// </exception>
    public static ModelFile Open(string path, NamedStateDict? stateDict = null)
    {
        path = Path.GetFullPath(path);
        return Guard(path, stateDict, () => new ModelFile(path, stateDict));
    }

    /// <summary>Reads what a model holds without mapping it.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="stateDict">Which dictionary of a checkpoint is the model; null if none is named.</param>
    /// <exception cref="CompressException">As for <see cref="Open"/>.</exception>
    public static ModelHeader ReadHeader(string path, NamedStateDict? stateDict = null)
    {
        path = Path.GetFullPath(path);
        var header = Guard(path, stateDict, () => ModelFormats.ReadHeader(FindFormat(path), path, stateDict?.Name));
        if (header.Tensors.Count == 0)
        {
            throw new CompressException(Codes.ModelEmpty, "the model holds no tensor; is it the right file?", header.Files[0]);
        }

        foreach (var tensor in header.Tensors)
        {
            CheckSides(tensor);
        }

        return header;
    }

    /// <summary>
    /// Checks that no file's length or time of last change differs from when the model was opened. To be called before
    /// results are kept: what was read from a file that changes meanwhile is worth nothing.
    /// </summary>
    /// <exception cref="CompressException">A file changed.</exception>
    public void ThrowIfChanged()
    {
        foreach (string file in stamps.Keys)
        {
            CheckStamp(file);
        }
    }

    /// <summary>Unmaps the files. No tensor of the model may be used afterwards.</summary>
    public void Dispose()
    {
        foreach (var memory in maps.Values)
        {
            memory.Dispose();
        }
    }

    private void CheckStamp(string file)
    {
        if (FileStamp.Of(file) != stamps[file])
        {
            throw Changed(file);
        }
    }

    private void Map(string path, NamedStateDict? stateDict)
    {
        foreach (string file in Header.Files)
        {
            stamps.Add(file, FileStamp.Of(file));
        }

        foreach (string file in Header.Tensors.Select(tensor => tensor.File).Distinct())
        {
            maps.Add(file, MappedBytes.OpenFile(file));
        }

        // A second look, now that the stamps are known: what was written after the first shows in this one or in the stamps.
        if (!Same(Header, ReadHeader(path, stateDict)))
        {
            throw Changed(path);
        }

        ThrowIfChanged();
        foreach (var tensor in Header.Tensors)
        {
            var memory = maps[tensor.File];
            if (tensor.Offset > memory.Length - tensor.StoredBytes)
            {
                throw Changed(tensor.File);
            }

            tensors.Add(tensor.Name, new SourceTensor(tensor, new(memory, tensor.Offset, tensor.StoredBytes), () => CheckStamp(tensor.File)));
        }
    }

    private static IModelFormat FindFormat(string path)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            throw new CompressException(Codes.ModelNotReadable, "there is no such model file or folder", path);
        }

        return ModelFormats.Find(path) ?? throw new CompressException(
            Codes.ModelUnknownFormat,
            $"{Found(path)}, which is no known model format; known are "
            + string.Join("; ", ModelFormats.All.Select(format => $"{format.Name} ({format.Looks})")),
            path);
    }

    private static string Found(string path)
    {
        if (Directory.Exists(path))
        {
            return "this is a folder without a model file that is known by name";
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] start = new byte[8];
        start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        string name = Quote.Name(Path.GetFileName(path));
        return start.Length == 0 ? $"{name} is empty" : $"{name} begins with the bytes {Convert.ToHexString(start)}";
    }

    private static T Guard<T>(string path, NamedStateDict? stateDict, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (StateDictException exception)
        {
            throw new CompressException(
                stateDict?.File is { } recipe
                    ? new Diagnostic(Codes.ModelStateDict, Severity.Error, exception.Message, recipe, stateDict.Line, stateDict.Column)
                    : new Diagnostic(Codes.ModelStateDict, Severity.Error, exception.Message, exception.File),
                exception);
        }
        catch (ModelFormatException exception)
        {
            throw new CompressException(Codes.ModelMalformed, exception.Message, exception.File, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.ModelNotReadable, $"the model cannot be read: {exception.Message}", path, exception);
        }
    }

    private static void CheckSides(ModelTensor tensor)
    {
        long rows = tensor.Shape.Count <= 1 ? 1 : tensor.Shape[0];
        long columns = rows == 0 ? 0 : tensor.ByteLength / tensor.DType.SizeInBytes() / rows;
        if (rows > int.MaxValue || columns > int.MaxValue)
        {
            throw new CompressException(
                Codes.ModelTensorTooLarge,
                $"tensor {Quote.Name(tensor.Name)} {Quote.Shape(tensor.Shape)} is a matrix of {rows} × {columns}; "
                + $"a side has at most {int.MaxValue}; split it",
                tensor.File);
        }
    }

    private static bool Same(ModelHeader a, ModelHeader b) =>
        a.Files.SequenceEqual(b.Files) && a.Tensors.Count == b.Tensors.Count && a.Tensors.Zip(b.Tensors).All(pair =>
            pair.First.Shape.SequenceEqual(pair.Second.Shape) && pair.First == pair.Second with { Shape = pair.First.Shape });

    private static CompressException Changed(string file) =>
        new(Codes.ModelChanged, "the model changed while it was read; build again when nothing writes to it any more", file);

    private readonly record struct FileStamp(long Length, DateTime LastWriteUtc)
    {
        // From the open file, so that links, which Hugging Face's cache consists of, are followed. Of a file that is gone: nothing.
        public static FileStamp Of(string file)
        {
            try
            {
                using var handle = File.OpenHandle(file, share: FileShare.ReadWrite | FileShare.Delete);
                return new(RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle));
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                return default;
            }
        }
    }
}
