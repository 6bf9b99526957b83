using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>A table of vectors, one per id, as torch.nn.Embedding.</summary>
public sealed class Embedding : Layer
{
    private readonly Parameter weight;

    /// <summary>Declares <c>weight</c> [entries, width].</summary>
    public Embedding(int entries, int width) => weight = Weight("weight", entries, width);

    /// <summary>Records the look-up.</summary>
    /// <param name="ids">Integers [...], each below the number of entries.</param>
    /// <returns>[..., width].</returns>
    public Value Forward(Value ids) => Record(ids, () => ids.Graph.Add(new EmbeddingLookup(), ids.Graph.Use(weight), ids));

    /// <summary>The whole table as a value [entries, width], such as a position table that is added to every prompt.</summary>
    public Value Table(Graph graph) => graph.Use(weight);
}
