using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Output of <c>--scheduler list</c>.</summary>
internal static class SchedulerTable
{
    /// <summary>Every sampling method under all its names.</summary>
    public static void Print()
    {
        var table = new Listing("name", "elsewhere", "class in diffusers", "may be followed by");
        foreach (var (name, spoken, type, spacings) in SchedulerNames.Table)
            table.Add(name, spoken ?? "", type, string.Join(", ", spacings));
        table.Print();
    }
}
