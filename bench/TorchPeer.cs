using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Compress.Bench;

/// <summary>PyTorch in a process of its own, which runs a model's forward pass, or forward and backward, whenever it is asked; see peers/forward.py.</summary>
internal sealed class TorchPeer : IDisposable
{
    private readonly Process process;

    private TorchPeer(Process process, JsonElement description)
    {
        this.process = process;
        Version = description.GetProperty("torch").GetString()!;
        Blas = description.GetProperty("blas").GetString()!;
        Sample = [.. description.GetProperty("sample").EnumerateArray().Select(value => value.GetSingle())];
    }

    public string Version { get; }

    /// <summary>The library that multiplies its matrices.</summary>
    public string Blas { get; }

    /// <summary>The logits after the last token; of a backward pass, the gradient of the first norm.</summary>
    public float[] Sample { get; }

    /// <summary>Starts it; null if there is no PyTorch for Debian's Python, or the script does not know the model.</summary>
    public static TorchPeer? Start(string folder, int tokens, int threads, bool backward = false)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "peers", "forward.py");
        string count = threads.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo("/usr/bin/python3", [script, folder, tokens.ToString(CultureInfo.InvariantCulture), count, backward ? "backward" : "forward"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };

        // OpenBLAS and OpenMP have threads of their own, which PyTorch's setting does not reach.
        start.Environment["OPENBLAS_NUM_THREADS"] = start.Environment["OMP_NUM_THREADS"] = count;
        try
        {
            var process = Process.Start(start)!;
            return process.StandardOutput.ReadLine() is { } line ? new(process, JsonSerializer.Deserialize<JsonElement>(line)) : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no Python
        }
    }

    /// <summary>Runs once.</summary>
    /// <returns>Seconds.</returns>
    public double Run()
    {
        process.StandardInput.WriteLine();
        return double.Parse(process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }
}
