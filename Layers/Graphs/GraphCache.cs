using System.Collections.Concurrent;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A layer's graphs, each traced and compiled on first use, and again after the layer's compile options changed.</summary>
/// <typeparam name="TKey">Key that distinguishes the layer's graphs.</typeparam>
/// <param name="layer">The traced layer, whose options apply.</param>
/// <param name="arenas">Arenas and device.</param>
public sealed class GraphCache<TKey>(Layer layer, ArenaPool arenas) where TKey : notnull
{
    private readonly ConcurrentDictionary<(TKey Key, int Version), Lazy<CompiledGraph>> graphs = new();

    /// <summary>The compiled graphs that are current.</summary>
    public IEnumerable<CompiledGraph> Compiled =>
        graphs.Where(g => g.Key.Version == layer.CompileVersion && g.Value.IsValueCreated).Select(g => g.Value.Value);

    /// <summary>The graph for a key.</summary>
    /// <param name="key">Key of the graph among the layer's graphs.</param>
    /// <param name="trace">Records it.</param>
    public CompiledGraph Get(TKey key, Func<TKey, Graph> trace)
    {
        int version = layer.CompileVersion;
        foreach (var (old, _) in graphs)
            if (old.Version < version) graphs.TryRemove(old, out _);
        return graphs.GetOrAdd((key, version), _ => new(() => new CompiledGraph(trace(key), arenas, layer.EffectiveOptions))).Value;
    }
}
