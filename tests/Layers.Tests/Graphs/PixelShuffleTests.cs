using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Packed latents in a graph: eager and compiled, with symbolic sizes.</summary>
public sealed class PixelShuffleTests : SmallGraphTests
{
    // Two factors, so that the middle is packed twice.
    private static Value Packed(Graph graph)
    {
        var image = graph.Input("image", DType.Float32, Dim.Symbol("n"), Dim.Symbol("h") * 6, Dim.Symbol("h") * 6, 3);
        return PixelShuffle(PixelShuffle(PixelUnshuffle(PixelUnshuffle(image, 2), 3) * 2, 3), 2);
    }

    [Fact]
    public void PackedTwiceAndBack_EagerOrCompiled_AreEqual() => Check(
        new CompileOptions(), Packed,
        "pixel_unshuffle(image) | pixel_unshuffle(0) | affine(1) | pixel_shuffle(2) | pixel_shuffle(3)", null, null);

    [Fact]
    public void PackedTwiceAndBack_Compiled_IsTheImageDoubled()
    {
        using var plan = new CompiledGraph(Graph.Trace("test", g => g.Output("y", Packed(g))), Arenas).Rent(Sizes(2, 3));
        Fill(plan.Input("image"), 1);
        plan.Run();
        Assert.Equal([2, 18, 18, 3], plan.Output("y").Shape);
        Assert.Equal([.. plan.Input("image").Span<float>().ToArray().Select(v => v * 2)], plan.Output("y").Span<float>().ToArray());
    }

    [Fact]
    public void Rent_OfAnOddHeight_SaysThatTheFactorMustDivideIt()
    {
        var graph = Graph.Trace("test", g => g.Output("y", PixelUnshuffle(Image(g), 2)));
        var refused = Assert.Throws<ShapeException>(() => new CompiledGraph(graph, Arenas).Rent(Sizes(1, 5)));
        string expected = "x is Float32[1, 5, 5, 16]; it must be a tensor with height and width divisible by 2.";
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }
}
