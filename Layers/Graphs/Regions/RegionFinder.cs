namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Finds the calls of a trace that are compiled separately, grouped by shared compilation.</summary>
internal sealed class RegionFinder
{
    /// <summary>Regions with fewer ops are not worth it: one or two ops have nothing to fuse.</summary>
    private const int LeastOps = 3;

    private readonly Graph source;
    private readonly Dictionary<Value, int> lastUse = [];

    public RegionFinder(Graph source)
    {
        this.source = source;
        for (int i = 0; i < source.Nodes.Count; i++)
            foreach (var input in source.Nodes[i].Inputs) lastUse[input] = i;
        foreach (var output in source.Outputs.Values) lastUse[output] = int.MaxValue;
    }

    /// <summary>Calls of the classes that the traced models list as their repeated blocks, grouped by signature.</summary>
    public IReadOnlyList<Region[]> Blocks()
    {
        var names = source.Calls.SelectMany(call => call.Layer.RepeatedBlocks).ToHashSet(StringComparer.Ordinal);
        return Group(source.Calls.Where(call => names.Contains(call.Layer.GetType().Name)));
    }

    /// <summary>Calls of layers of an uncompiled model that have compile options of their own, grouped by signature and options.</summary>
    public IReadOnlyList<Region[]> Marked() => Group(source.Calls.Where(call => call.Layer.IsCompiledWithinModel));

    /// <summary>Repeated calls, chosen so that the passes process the fewest ops.</summary>
    public IReadOnlyList<Region[]> Repeated()
    {
        // Largest saving first: a block of 20 ops in 60 places before the 6 places of 10 such blocks each.
        var candidates = Regions(source.Calls.Where(call => call.Count >= LeastOps && call.Path.Length > 0))
            .GroupBy(region => region.Signature).Select(group => group.ToArray())
            .OrderByDescending(Saving).ThenByDescending(group => group[0].Call.Count).ThenBy(group => group[0].Call.First);
        var chosen = new List<Region[]>();
        foreach (var group in candidates)
        {
            Region[] free = [.. group.Where(region => !chosen.Any(other => other.Any(o => o.Call.Overlaps(region.Call))))];
            if (free.Length > 1) chosen.Add(free);
        }

        return chosen;
    }

    private static int Saving(Region[] group) => (group.Length - 1) * group[0].Call.Count;

    private Region[][] Group(IEnumerable<LayerCall> calls)
    {
        // Outermost first: a layer inside a compiled one is not compiled separately.
        var taken = new List<LayerCall>();
        foreach (var call in calls.OrderByDescending(call => call.Count))
            if (call.Count > 0 && !taken.Any(call.Overlaps)) taken.Add(call);
        return [.. Regions(taken.OrderBy(call => call.First)).GroupBy(region => (region.Signature, region.Call.Layer.OwnOptions))
            .Select(group => group.ToArray())];
    }

    private IEnumerable<Region> Regions(IEnumerable<LayerCall> calls) =>
        calls.Select(call => Region.Of(source, call, lastUse)).OfType<Region>();
}
