using System.Diagnostics;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Compiles the regions of a trace separately: each group of equal ones once, and the rest if requested. The result is a single graph, so
/// that its values share one arena and running it costs nothing extra; but no pass has crossed a region's border.
/// </summary>
internal static class RegionCompiler
{
    /// <summary>Compiles groups of regions.</summary>
    /// <param name="source">The trace.</param>
    /// <param name="groups">Calls with equal signatures.</param>
    /// <param name="options">Passes for a group.</param>
    /// <param name="rest">Passes for the rest; null leaves it as recorded.</param>
    public static CompiledModel Compile(Graph source, IReadOnlyList<Region[]> groups, Func<Region, CompileOptions> options,
        CompileOptions? rest)
    {
        var blocks = new Dictionary<Region, CompiledBlock>();
        var reports = new List<CompiledRegion>();
        foreach (var group in groups)
        {
            var block = CompiledBlock.Compile(source, group[0], options(group[0]));
            foreach (var region in group)
                blocks[region] = block.IsShareable || region == group[0] ? block : CompiledBlock.Compile(source, region, options(region));
            foreach (var use in group.GroupBy(region => blocks[region]))
                reports.Add(new(use.First().Call.Layer.GetType().Name, use.First().Call.Path, use.Count(), use.First().Call.Count,
                    use.Key.Ops, use.Key.Seconds));
        }

        long start = Stopwatch.GetTimestamp();
        var outline = Outline(source, blocks);
        int before = outline.NeededBy(outline.Outputs.Values).Count();
        if (rest is not null) outline = GraphPasses.Run(outline, rest);
        int after = outline.NeededBy(outline.Outputs.Values).Count();
        var graph = Inline(outline, NamesInside(source, blocks.Keys));
        reports.Add(new(source.Name, null, 1, before, after, Stopwatch.GetElapsedTime(start).TotalSeconds));
        return new CompiledModel(graph, reports);
    }

    /// <summary>Replaces each region of the trace by one op.</summary>
    private static Graph Outline(Graph source, Dictionary<Region, CompiledBlock> blocks)
    {
        var copy = new GraphCopy(new Graph(source.Name));
        copy.Inputs(source);
        var starts = blocks.Keys.ToDictionary(region => region.Call.First);
        for (int i = 0; i < source.Nodes.Count; i++)
        {
            if (!starts.TryGetValue(i, out var region))
            {
                copy.Add(source.Nodes[i]);
                continue;
            }

            Value[] arguments = [.. region.Arguments.Select(a => copy[a])];
            copy[region.Call.Result] =
                copy.Target.At(region.Call.Path, () => copy.Target.Add(new RegionOp(region, blocks[region]), arguments));
            i = region.Call.End - 1;
        }

        copy.Names(source);
        copy.Outputs(source);
        return copy.Target;
    }

    /// <summary>Replaces each of these ops by its region's compiled ops.</summary>
    private static Graph Inline(Graph outline, ILookup<Region, (string Name, int Place)> names)
    {
        var copy = new GraphCopy(new Graph(outline.Name));
        copy.Inputs(outline);
        foreach (var node in outline.Nodes)
        {
            if (node.Op is RegionOp { Region: var region, Block: var block })
                copy[node.Output] = block.Inline(copy.Target, region, [.. node.Inputs.Select(i => copy[i])], names[region]);
            else copy.Add(node);
        }

        copy.Names(outline);
        copy.Outputs(outline);
        return copy.Target;
    }

    /// <summary>Names of values inside regions, apart from their results.</summary>
    private static ILookup<Region, (string Name, int Place)> NamesInside(Graph source, IEnumerable<Region> regions)
    {
        var places = new Dictionary<Value, (Region Region, int Place)>();
        foreach (var region in regions)
            for (int i = region.Call.First; i < region.Call.End; i++)
                if (source.Nodes[i].Output != region.Call.Result) places.Add(source.Nodes[i].Output, (region, i - region.Call.First));
        return source.Named.Where(named => places.ContainsKey(named.Value))
            .ToLookup(named => places[named.Value].Region, named => (named.Key, places[named.Value].Place));
    }
}
