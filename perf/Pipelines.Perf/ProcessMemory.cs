using System.Globalization;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>The process's resident memory as Linux counts it, mapped files included.</summary>
internal static class ProcessMemory
{
    /// <summary>The most that was ever resident, in bytes; 0 where the system does not tell.</summary>
    public static long PeakResidentBytes => Read("VmHWM:");

    private static long Read(string key)
    {
        const string Status = "/proc/self/status";
        string? line = File.Exists(Status) ? File.ReadLines(Status).FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal)) : null;
        return line is null ? 0 : long.Parse(line.Split(' ', '\t').First(p => p.Length > 0 && char.IsAsciiDigit(p[0])), CultureInfo.InvariantCulture) * 1024;
    }
}
