using System.Collections.Concurrent;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A layer's graphs: each is traced and compiled when it is first asked for, and anew after the layer was told to run in another way.</summary>
/// <typeparam name="TKey">What distinguishes its graphs from each other.</typeparam>
/// <param name="layer">What is traced; its options decide.</param>
/// <param name="arenas">Where it runs.</param>
public sealed class GraphCache<TKey>(Layer layer, ArenaPool arenas) where TKey : notnull
{
    private readonly ConcurrentDictionary<(TKey Key, int Version), Lazy<CompiledGraph>> graphs = new();

    /// <summary>What was compiled and is still current.</summary>
    public IEnumerable<CompiledGraph> Compiled => graphs.Where(g => g.Key.Version == layer.CompileVersion && g.Value.IsValueCreated).Select(g => g.Value.Value);

    /// <summary>The graph for a key.</summary>
    /// <param name="key">What distinguishes it from the layer's other graphs.</param>
    /// <param name="trace">Records it.</param>
    public CompiledGraph Get(TKey key, Func<TKey, Graph> trace)
    {
        int version = layer.CompileVersion;
        foreach (var (old, _) in graphs)
            if (old.Version < version) graphs.TryRemove(old, out _);
        return graphs.GetOrAdd((key, version), _ => new(() => new CompiledGraph(trace(key), arenas, layer.EffectiveOptions))).Value;
    }
}
