using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>The choice of attention: by layer while tracing, by scope when a plan is rented.</summary>
public sealed class AttentionBackendTests : SmallGraphTests
{
    private static readonly Sizes Size = Sizes(2, 5);

    [Fact]
    public void Use_OfAScope_SelectsAnotherPlanOfTheSameCompilation()
    {
        var (_, graph) = TwoLayers();
        var compiled = new CompiledGraph(graph, Arenas);
        float[] plain = Run(compiled);
        Assert.Equal(["cpu/simd"], Kernels(compiled));
        foreach (var (backend, kernel) in new[] { (AttentionBackend.MemoryEfficient, "cpu/chunks"), (AttentionBackend.Math, "cpu/math") })
        {
            using (Attention.Use(backend))
            {
                Assert.Equal([kernel], Kernels(compiled));
                float[] other = Run(compiled);
                Assert.All(plain.Zip(other), pair => Assert.Equal(pair.First, pair.Second, 1e-3f * plain.Max(MathF.Abs)));
                Assert.Equal(other, Run(compiled)); // the same plan again
            }
        }

        Assert.Equal(plain, Run(compiled));
        Assert.Equal(["cpu/simd"], Kernels(compiled));
        Assert.Equal(3, compiled.Plans);
        Assert.Equal(1, compiled.CompileReport.Compilations);
        Assert.Equal(["cpu/chunks", "cpu/math", "cpu/simd"], compiled.CompileReport.Attention.Select(c => c.Kernel).Order());
    }

    [Fact]
    public async Task Use_OfNestedScopes_FlowsWithAsyncCallsAndEndsWithEach()
    {
        var (_, graph) = TwoLayers();
        var compiled = new CompiledGraph(graph, Arenas);
        using (Attention.Use(AttentionBackend.Math))
        {
            Assert.Equal(["cpu/math"], await Task.Run(() => Kernels(compiled)));
            using (Attention.Use(AttentionBackend.MemoryEfficient))
            {
                await Task.Yield();
                Assert.Equal(["cpu/chunks"], await Task.Run(() => Kernels(compiled)));
            }

            Assert.Equal(["cpu/math"], Kernels(compiled));
            using (Attention.Use(AttentionBackend.Auto)) Assert.Equal(["cpu/simd"], Kernels(compiled));
        }

        Assert.Equal(["cpu/simd"], Kernels(compiled));
    }

    [Fact]
    public void Use_ConcurrentlyInTwoTasks_ConcernsEachAlone()
    {
        var (_, graph) = TwoLayers();
        var compiled = new CompiledGraph(graph, Arenas);
        Parallel.For(0, 8, i =>
        {
            var (backend, kernel) = i % 2 == 0 ? (AttentionBackend.Math, "cpu/math") : (AttentionBackend.MemoryEfficient, "cpu/chunks");
            using var scope = Attention.Use(backend);
            Assert.Equal([kernel], Kernels(compiled));
        });
        Assert.Equal(["cpu/simd"], Kernels(compiled));
    }

    [Fact]
    public void SetAttentionBackend_OfSomeLayers_IsRecordedInTheirOpsAndYieldsToAScope()
    {
        var (model, graph) = TwoLayers();
        Assert.Equal([AttentionBackend.Auto, AttentionBackend.Auto], Recorded(graph));
        model.SetAttentionBackend(AttentionBackend.Math);
        model.SetAttentionBackend(AttentionBackend.MemoryEfficient, layer => layer.Path == "second");
        graph = Trace(model);
        Assert.Equal([AttentionBackend.Math, AttentionBackend.MemoryEfficient], Recorded(graph));
        var compiled = new CompiledGraph(graph, Arenas);
        Assert.Equal(["cpu/math", "cpu/chunks"], Kernels(compiled));
        using (Attention.Use(AttentionBackend.Flash)) Assert.Equal(["cpu/simd"], Kernels(compiled));
        model.SetAttentionBackend(null);
        Assert.Equal([AttentionBackend.Auto, AttentionBackend.Auto], Recorded(Trace(model)));
    }

    [Fact]
    public void SetAttentionBackend_OfAModel_TracesItsGraphAgain()
    {
        var (model, _) = TwoLayers();
        var cache = new GraphCache<string>(model, Arenas);
        CompiledGraph Current() => cache.Get("test", _ => Trace(model));
        var before = Current();
        Assert.Same(before, Current());
        model.SetAttentionBackend(new AttentionOptions(Precise: true));
        Assert.NotSame(before, Current());
        Assert.Equal(["cpu/simd"], Kernels(Current()));
    }

    private (Layer Model, Graph Graph) TwoLayers()
    {
        var model = Loaded(new Two());
        return (model, Trace(model));
    }

    private static Graph Trace(Layer model) => Graph.Trace("two", g => g.Output("y", ((Two)model).Forward(Image(g))));

    private static IEnumerable<AttentionBackend> Recorded(Graph graph) =>
        graph.Nodes.Select(n => n.Op).OfType<ScaledDotProductAttention>().Select(op => op.Options.Backend);

    private static string[] Kernels(CompiledGraph compiled) =>
        [.. compiled.Report(Size).Steps.Where(s => s.Attention is not null).Select(s => s.Variant).Distinct()];

    private static float[] Run(CompiledGraph compiled)
    {
        using var plan = compiled.Rent(Size);
        Fill(plan.Input("image"), 3);
        plan.Run();
        return plan.Output("y").Span<float>().ToArray();
    }

    private sealed class Two : Layer
    {
        private readonly Attention first, second;

        public Two() => (first, second) = (Child("first", new Attention(16, null, 2, 8)), Child("second", new Attention(16, null, 2, 8)));

        public Value Forward(Value x) => Record(x, () => second.Forward(first.Forward(x)));
    }
}
