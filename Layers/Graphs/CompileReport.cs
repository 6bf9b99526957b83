using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Result of compiling a graph. A snapshot: plans, kernels and notes grow with further sizes.</summary>
/// <param name="Graph">The graph's name.</param>
/// <param name="Options">How it was compiled.</param>
/// <param name="Regions">The compiled regions; a whole graph is one region, and repeated regions are listed once.</param>
/// <param name="TraceSeconds">Time of tracing.</param>
/// <param name="PassSeconds">Time of the passes, over all compilations of this graph.</param>
/// <param name="PlanSeconds">Time of planning, kernel compilation included.</param>
/// <param name="Compilations">Number of times the graph went through the passes: 1, unless sizes are not dynamic or the graph is
/// broken.</param>
/// <param name="Plans">Number of combinations of sizes that have plans.</param>
/// <param name="Kernels">Number of distinct kernels that those plans launch.</param>
/// <param name="Notes">Notes for the user: options without effect on this device, graph breaks, compilations for further sizes.</param>
public sealed record CompileReport(
    string Graph, CompileOptions Options, IReadOnlyList<CompiledRegion> Regions, double TraceSeconds, double PassSeconds,
        double PlanSeconds,
    int Compilations, int Plans, int Kernels, IReadOnlyList<string> Notes)
{
    /// <summary>The implementations of attention that those plans use, each once.</summary>
    public IReadOnlyList<AttentionChoice> Attention { get; init; } = [];
    /// <summary>The sizes of the plans, in a fixed order; empty for a split graph.</summary>
    public IReadOnlyList<Sizes> PlanSizes { get; init; } = [];

    /// <summary>Trace, passes and plans together.</summary>
    public double Seconds => TraceSeconds + PassSeconds + PlanSeconds;

    /// <summary>Number of distinct blocks; each is compiled once.</summary>
    public int DistinctBlocks => Regions.Count(r => r.Path is not null);

    /// <summary>Total number of their occurrences.</summary>
    public int BlockOccurrences => Regions.Where(r => r.Path is not null).Sum(r => r.Occurrences);

    /// <summary>The report of a split graph.</summary>
    internal static CompileReport Of(Graph source, CompileOptions options, IReadOnlyList<CompileReport> parts,
        IReadOnlyList<string> notes) => new(
        source.Name, options, [.. parts.SelectMany(p => p.Regions)], source.TraceTime.TotalSeconds, parts.Sum(p => p.PassSeconds),
            parts.Sum(p => p.PlanSeconds),
        parts.Sum(p => p.Compilations), parts.Sum(p => p.Plans), parts.Sum(p => p.Kernels), notes)
        {
            Attention = [.. parts.SelectMany(p => p.Attention).Distinct()],
        };
}

/// <summary>A part of a graph that was compiled separately.</summary>
/// <param name="Name">Class of the block; the graph's name for the whole or for the rest.</param>
/// <param name="Path">The block's first occurrence; null for the whole or the rest.</param>
/// <param name="Occurrences">Number of occurrences, with different weights.</param>
/// <param name="OpsBefore">Ops as recorded, per occurrence; a nested block counts as one.</param>
/// <param name="OpsAfter">Ops after the passes.</param>
/// <param name="Seconds">Time of the passes.</param>
public sealed record CompiledRegion(string Name, string? Path, int Occurrences, int OpsBefore, int OpsAfter, double Seconds);
