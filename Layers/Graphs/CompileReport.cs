namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>What compiling a graph did. A snapshot: plans, kernels and notes grow as sizes are met.</summary>
/// <param name="Graph">The graph's name.</param>
/// <param name="Options">How it was compiled.</param>
/// <param name="Regions">What was compiled by itself; the whole graph is one region, and of repeated regions one stands for all.</param>
/// <param name="TraceSeconds">Time that recording the layers took.</param>
/// <param name="PassSeconds">Time that the passes took, all compilations of this graph together.</param>
/// <param name="PlanSeconds">Time that making plans took, kernels included.</param>
/// <param name="Compilations">How often the graph went through the passes: 1, unless sizes are not dynamic or the graph is broken.</param>
/// <param name="Plans">Combinations of sizes that plans were made for.</param>
/// <param name="Kernels">Distinct kernels that those plans launch.</param>
/// <param name="Notes">What a user should know: options without effect on this device, graph breaks, compilations for further sizes.</param>
public sealed record CompileReport(
    string Graph, CompileOptions Options, IReadOnlyList<CompiledRegion> Regions, double TraceSeconds, double PassSeconds, double PlanSeconds,
    int Compilations, int Plans, int Kernels, IReadOnlyList<string> Notes)
{
    /// <summary>Trace, passes and plans together.</summary>
    public double Seconds => TraceSeconds + PassSeconds + PlanSeconds;

    /// <summary>How many different blocks were compiled, each once however often it occurs.</summary>
    public int DistinctBlocks => Regions.Count(r => r.Path is not null);

    /// <summary>How often they occur together.</summary>
    public int BlockOccurrences => Regions.Where(r => r.Path is not null).Sum(r => r.Occurrences);

    /// <summary>Of a graph in parts.</summary>
    internal static CompileReport Of(Graph source, CompileOptions options, IReadOnlyList<CompileReport> parts, IReadOnlyList<string> notes) => new(
        source.Name, options, [.. parts.SelectMany(p => p.Regions)], source.TraceTime.TotalSeconds, parts.Sum(p => p.PassSeconds), parts.Sum(p => p.PlanSeconds),
        parts.Sum(p => p.Compilations), parts.Sum(p => p.Plans), parts.Sum(p => p.Kernels), notes);
}

/// <summary>A part of a graph that went through the passes by itself.</summary>
/// <param name="Name">The block's class; the graph's name for the whole or for what lies between blocks.</param>
/// <param name="Path">The layer that is the block's first occurrence; null for the whole or the rest.</param>
/// <param name="Occurrences">How often the result is used, with different weights.</param>
/// <param name="OpsBefore">Ops as recorded, in one occurrence; a block inside counts as one.</param>
/// <param name="OpsAfter">Ops after the passes.</param>
/// <param name="Seconds">Time that the passes took.</param>
public sealed record CompiledRegion(string Name, string? Path, int Occurrences, int OpsBefore, int OpsAfter, double Seconds);
