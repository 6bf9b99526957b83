using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Output of <c>--scheduler list</c>.</summary>
internal static class SchedulerTable
{
    /// <summary>Every sampling method under all its names.</summary>
    public static void Print()
    {
        var table = new Listing("name", "elsewhere", "class in diffusers", "may be followed by", "about");
        foreach (var (name, elsewhere, type, spacings, about) in SchedulerNames.Table)
            table.Add(name, string.Join(", ", elsewhere), type, string.Join(", ", spacings), about);
        table.Print();
    }
}
