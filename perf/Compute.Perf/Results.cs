using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Compute.Perf;

/// <summary>Results as a Markdown table and as JSON.</summary>
internal static class Results
{
    public static void Print(Device device, IReadOnlyList<Timing> timings, FileInfo? json)
    {
        Console.WriteLine($"{Machine.Current(device)}\n");
        Console.WriteLine("| case | variant | best ms | median ms | CPU ms | GFLOP/s | ratio | CPU ratio |\n| --- | --- | ---: | ---: | "
            + "---: | ---: | ---: | ---: |");
        foreach (var t in timings)
            Console.WriteLine($"| {t.Case} | {t.Variant} | {t.BestMilliseconds:F3} | {t.MedianMilliseconds:F3} | "
                + $"{t.ProcessorMilliseconds:F3} | {t.Gflops:F0} | {t.Ratio:F2} | {t.ProcessorRatio:F2} |");
        if (json is not null) ResultFile.Save(json.FullName, new { machine = Machine.Current(device), timings });
    }
}
