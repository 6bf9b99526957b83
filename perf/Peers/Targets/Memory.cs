using System.Globalization;

namespace ILGpuDiffusion.Peers;

/// <summary>Checks free memory before large runs.</summary>
internal static class Memory
{
    /// <summary>Why a run of this size does not fit into memory; null if it does.</summary>
    public static string? Shortage(double bytes)
    {
        const string File = "/proc/meminfo";
        if (!System.IO.File.Exists(File)) return null;
        string line = System.IO.File.ReadLines(File).First(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal));
        double free = double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        return free >= bytes ? null
            : string.Create(CultureInfo.InvariantCulture, $"needs {bytes / 1e9:F1} GB of free memory, there were {free / 1e9:F1} GB");
    }
}
