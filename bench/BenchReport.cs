using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Compress.Bench;

/// <summary>What a benchmark prints; with <c>--out DIR</c> also written to <c>DIR/&lt;cpu&gt;/&lt;name&gt;.md</c>, with CPU and commit.</summary>
internal sealed class BenchReport(string name, string[] args)
{
    private readonly StringBuilder text = new();

    /// <summary>The processor's name as the system gives it.</summary>
    public static string Cpu { get; } = File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            ?? RuntimeInformation.ProcessArchitecture.ToString()
        : RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>Prints a line.</summary>
    public void Line(string line = "")
    {
        Console.WriteLine(line);
        text.Append(line).Append('\n');
    }

    /// <summary>Writes the file, if one was asked for.</summary>
    public void Save()
    {
        if (Array.IndexOf(args, "--out") is int at && at >= 0 && at + 1 < args.Length)
        {
            string folder = Path.Combine(args[at + 1], string.Join('-', Cpu.Split([' ', '/', '(', ')', '@'], StringSplitOptions.RemoveEmptyEntries)));
            Directory.CreateDirectory(folder);
            string head = $"# {name}\n\n{Cpu}, {Environment.ProcessorCount} logical processors, {RuntimeInformation.OSDescription}, "
                + $"{RuntimeInformation.FrameworkDescription}, commit {Git("rev-parse --short HEAD")}{(Git("status --porcelain").Length > 0 ? " with changes" : "")}\n\n";
            File.WriteAllText(Path.Combine(folder, name + ".md"), head + text);
        }
    }

    private static string Git(string arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true })!;
        string output = git.StandardOutput.ReadToEnd().Trim();
        git.WaitForExit();
        return output;
    }
}
