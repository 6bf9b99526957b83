using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Decisions of planning: views, values that are computed once, packed weights. Results have the same bits.</summary>
public sealed class PlanPassTests : SmallGraphTests
{
    [Fact]
    public void ColumnViews_ConcatenationsAndSlices_CostNothing() => Check(CompileOptions.Eager with { ColumnViews = true },
        g =>
        {
            var x = Image(g);
            var wide = ConcatChannels(Scale(x, 2), ConcatChannels(Silu(x), Scale(x, 3)));
            return Silu(Slice(wide, -1, 8, 24)) + Chunk(wide, -1, 1, 2);
        },
        "affine(image) | unary(image) | affine(image) | concat(1, 2) | concat(0, 3) | slice(4) | unary(5) | chunk(4) | binary(6, 7)", null,
        "affine | unary | affine | unary | binary");

    [Fact]
    public void ColumnViews_InputsTwiceUsedAndResults_AreCopied() => Check(CompileOptions.Eager with { ColumnViews = true },
        g =>
        {
            var x = Image(g);
            var h = Silu(x);
            g.Output("h", h); // read by the caller, so contiguous and in its own memory
            return ConcatChannels(x, h, Scale(h, 2)) * ConcatChannels(Scale(h, 3), h, h);
        },
        "unary(image) | affine(0) | concat(image, 0, 1) | affine(0) | concat(3, 0, 0) | binary(2, 4)", null,
        "unary | affine | concat | affine | concat | binary");

    [Fact]
    public void ColumnViews_AlongTheOutermostDimension_AreRows() => Check(CompileOptions.Eager with { ColumnViews = true },
        g =>
        {
            var x = Image(g);
            var both = ConcatBatch(Silu(x), Scale(x, 2));
            return Chunk(both, 0, 0, 2) - Scale(Chunk(both, 0, 1, 2), 5);
        },
        "unary(image) | affine(image) | concat(0, 1) | chunk(2) | chunk(2) | affine(4) | binary(3, 5)", null,
        "unary | affine | affine | binary");

    [Fact]
    public void LoopInvariants_OfUnchangedInputs_AreComputedOncePerWrite()
    {
        var linear = Loaded(new Linear(16, 16));
        var graph = Graph.Trace("loopInvariant",
            g => g.Output("y", Image(g) * linear.Forward(g.LoopInvariantInput("prompt", DType.Float32, Dim.Symbol("n"), 1, 1, 16))));
        var compiled = new CompiledGraph(graph, Arenas, CompileOptions.Eager with { LoopInvariants = true });
        using var plan = compiled.Rent(Sizes(2, 3));
        using var eager = new CompiledGraph(graph, Arenas, CompileOptions.Eager).Rent(Sizes(2, 3));
        Assert.Equal((1, 1, 2), (plan.LoopInvariantLaunchCount, plan.LaunchCount, eager.LaunchCount));
        foreach (int prompt in new[] { 1, 2 })
        {
            Fill(plan.Input("prompt"), prompt);
            Fill(eager.Input("prompt"), prompt);
            foreach (int image in new[] { 3, 4 })
            {
                Fill(plan.Input("image"), image);
                Fill(eager.Input("image"), image);
                plan.Run();
                eager.Run();
                Assert.Equal(eager.Output("y").Span<float>().ToArray(), plan.Output("y").Span<float>().ToArray());
            }
        }
    }

    [Fact]
    public void LoopInvariants_RentedAgainAfterOthers_AreComputedAgain()
    {
        var compiled = new CompiledGraph(
            Graph.Trace("loopInvariant",
                g => g.Output("y", Image(g) + Silu(g.LoopInvariantInput("prompt", DType.Float32, Dim.Symbol("n"), 1, 1, 16)))), Arenas);
        float[] Run()
        {
            using var plan = compiled.Rent(Sizes(1, 2));
            Fill(plan.Input("image"), 1);
            Fill(plan.Input("prompt"), 2);
            plan.Run();
            plan.Run();
            return plan.Output("y").Span<float>().ToArray();
        }

        float[] first = Run();
        using (var other = new CompiledGraph(Graph.Trace("other", g => g.Output("y", Scale(Image(g), 9))), Arenas).Rent(Sizes(1, 2)))
        {
            Fill(other.Input("image"), 5);
            other.Run(); // in the same arena
        }

        Assert.Equal(first, Run());
    }

    [Fact]
    public void PrepackWeights_TwoPlansOfOnePool_ShareThemAndChangeNoBit()
    {
        Conv2d winograd = Loaded(new Conv2d(16, 48, 3, padding: 1)), direct = Loaded(new Conv2d(48, 35, 3, padding: 1));
        Conv2d wide = Loaded(new Conv2d(35, 35, 3, padding: 1));
        var linear = Loaded(new Linear(35, 16));
        var graph = Graph.Trace("packed", g => g.Output("y", linear.Forward(wide.Forward(direct.Forward(winograd.Forward(Image(g)))))));
        CompiledGraph eager = new(graph, Arenas, CompileOptions.Eager),
            packed = new(graph, Arenas, CompileOptions.Eager with { PrepackWeights = true });
        long after = 0;
        foreach (var sizes in new[] { Sizes(1, 2), Sizes(2, 30), Sizes(1, 21) })
        {
            using Plan expected = eager.Rent(sizes);
            Assert.Equal(after, Arenas.PackedWeights.Bytes);
            using Plan actual = packed.Rent(sizes);
            foreach (var plan in new[] { expected, actual })
            {
                Fill(plan.Input("image"), 1);
                plan.Run();
                plan.Run();
            }

            Assert.Equal(expected.Output("y").Span<float>().ToArray(), actual.Output("y").Span<float>().ToArray());
            if (sizes.Equals(Sizes(2, 30))) Assert.True(Arenas.PackedWeights.Bytes > after, "Winograd's weights have a form of their own.");
            if (sizes.Equals(Sizes(1, 21))) Assert.Equal(after, Arenas.PackedWeights.Bytes); // both layouts of all weights existed
            after = Arenas.PackedWeights.Bytes;
        }
    }

    [Fact]
    public void PrepackWeights_Automatic_SkipsLargeModelsAndMatMulsOfValues()
    {
        Linear small = Loaded(new Linear(16, 32, bias: false)); // a whole number of panels on every processor
        Graph Trace(Linear linear) => Graph.Trace("packed", g => g.Output("y", linear.Forward(Image(g))));
        var matMul = Graph.Trace("matmul", g => g.Output("y", g.Add(new MatMul(), Image(g), Silu(g.Input("w", DType.Float32, 16, 16)))));
        foreach (var (graph, bytes) in new[] { (matMul, 0L), (Trace(small), 16 * 32 * 4L) })
        {
            using var plan = new CompiledGraph(graph, Arenas).Rent(Sizes(1, 9));
            Assert.Equal(bytes, Arenas.PackedWeights.Bytes);
            Assert.Equal(bytes, new CompiledGraph(graph, Arenas).Report(Sizes(1, 9)).PackedWeightBytes);
        }

        var large = Trace(new Linear(16, (1 << 20) + 1)); // never loaded: the decision needs no weights
        Assert.False(new PlanLayout(large, Device, Sizes(1, 9), new HashSet<string>(), new()).PrepacksWeights);
    }

    [Fact]
    public void Named_ValueInsideAFusion_CanBeDumped()
    {
        var attention = Loaded(new Attention(16, null, 2, 8));
        var graph = Graph.Trace("named", g => g.Output("y", attention.Forward(Image(g)) + g.Inputs["image"]));
        string[] names = ["to_q", "to_k", "to_v", "to_out.0"];
        float[][] Dump(CompileOptions options)
        {
            using var plan = new CompiledGraph(graph, Arenas, options).Rent(Sizes(2, 3), names);
            Fill(plan.Input("image"), 1);
            plan.Run();
            return [.. names.Select(name => plan.Named(name).Span<float>().ToArray()), plan.Output("y").Span<float>().ToArray()];
        }

        Assert.Equal(Dump(CompileOptions.Eager), Dump(new()));
    }
}
