using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Transformers;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Blocks that are compiled once and used several times, in a small model with two kinds of block.</summary>
public sealed class RegionTests() : SmallGraphTests(threads: 1)
{
    [Theory]
    [InlineData(CompileScope.Full), InlineData(CompileScope.Blocks), InlineData(CompileScope.Regions)]
    public void Run_AnyScope_EqualsEagerInEveryNamedValue(CompileScope scope)
    {
        var graph = Trace(Loaded(new Model(4)));
        string[] names = [.. graph.Named.Keys];
        float[][] Dump(CompileOptions options)
        {
            using var plan = new CompiledGraph(graph, Arenas, options).Rent(new Sizes(("n", 2), ("tokens", 3)), names);
            foreach (string name in graph.Inputs.Keys) Fill(plan.Input(name), name.Length);
            plan.Run();
            return [.. names.Select(name => plan.Named(name).Span<float>().ToArray())];
        }

        Assert.Equal(Dump(CompileOptions.Eager), Dump(new() { Scope = scope }));
    }

    [Fact]
    public void Blocks_EqualSignatures_AreCompiledOnce()
    {
        var report = new CompiledGraph(Trace(Loaded(new Model(4))), Arenas, new() { Scope = CompileScope.Blocks }).CompileReport;
        Assert.Equal([("Block", "blocks.0", 4), ("Block", "wide", 1), ("model", null, 1)],
            report.Regions.Select(r => (r.Name, r.Path, r.Occurrences)));
        Assert.Equal((2, 5), (report.DistinctBlocks, report.BlockOccurrences));
        Assert.All(report.Regions.Where(r => r.Path is not null), r => Assert.True(r.OpsAfter < r.OpsBefore, $"{r}"));
        Assert.Equal(report.Regions[2].OpsBefore, report.Regions[2].OpsAfter); // the rest runs as recorded
    }

    [Fact]
    public void Regions_WhatIsRepeated_IsFoundAndTheRestCompiledToo()
    {
        var report = new CompiledGraph(Trace(Loaded(new Model(4))), Arenas, new() { Scope = CompileScope.Regions }).CompileReport;
        Assert.Equal([("Block", "blocks.0", 4), ("model", null, 1)], report.Regions.Select(r => (r.Name, r.Path, r.Occurrences)));
        Assert.True(report.Regions[1].OpsAfter < report.Regions[1].OpsBefore, $"{report.Regions[1]}");
    }

    [Fact]
    public void Blocks_OtherWeightTypes_AreOtherSignatures()
    {
        var model = Loaded(new Model(2));
        var first = model.Parameters.First(p => p.Path == "blocks.1.ff.net.0.proj.weight");
        Weights.Add(Device.Allocate(first.Shape.Count * 2));
        first.Load(new Tensor(Weights[^1], 0, DType.Float16, first.Shape));
        var report = new CompiledGraph(Trace(model), Arenas, new() { Scope = CompileScope.Blocks }).CompileReport;
        Assert.Equal(3, report.DistinctBlocks);
    }

    [Fact]
    public void Regions_BlockWhoseInsideIsLookedAt_IsPartOfTheRest()
    {
        var model = Loaded(new Model(4) { Leaks = true });
        var graph = Trace(model);
        var report = new CompiledGraph(graph, Arenas, new() { Scope = CompileScope.Blocks }).CompileReport;
        Assert.Equal(3, report.Regions.Single(r => r.Path == "blocks.1").Occurrences); // all but the first
    }

    [Fact]
    public void Compile_OneLayerOfAnUncompiledModel_IsCompiledByItself()
    {
        var model = Loaded(new Model(3));
        model.Children[1].Compile();
        var report = new CompiledGraph(Trace(model), Arenas, model.EffectiveOptions).CompileReport;
        Assert.Equal([("Block", "blocks.1", 1), ("model", null, 1)], report.Regions.Select(r => (r.Name, r.Path, r.Occurrences)));
    }

    [Fact]
    public void CompileRepeatedBlocks_NoneListed_SaysWhatToCall() =>
        Assert.Contains("CompileRegions",
            Assert.Throws<InvalidOperationException>(() => new FeedForward(4).CompileRepeatedBlocks()).Message, StringComparison.Ordinal);

    [Fact]
    public void Cache_OptionsChanged_CompilesAnew()
    {
        var model = Loaded(new Model(2));
        var cache = new GraphCache<int>(model, Arenas);
        CompiledGraph Get() => cache.Get(0, _ => Trace(model));
        var eager = Get();
        Assert.Same(eager, Get());
        Assert.Equal(CompileOptions.Eager, eager.Options);
        model.CompileRepeatedBlocks();
        Assert.Equal(CompileScope.Blocks, Get().Options.Scope);
        model.UnfuseQkvProjections();
        Assert.False(Get().Options.ProjectionGrouping);
        Assert.Same(Get(), Assert.Single(cache.Compiled));
        model.FuseQkvProjections();
        Assert.True(Get().Options.ProjectionGrouping);
    }

    [Fact]
    public void Cache_LayersQuantised_RecordsAnewWithOtherBlocks()
    {
        var model = Loaded(new Model(3));
        model.CompileRepeatedBlocks();
        var cache = new GraphCache<int>(model, Arenas);
        Assert.Equal(2, cache.Get(0, _ => Trace(model)).CompileReport.DistinctBlocks);
        using var int8 = DynamicQuantization.Apply(model, linear => linear.Path.StartsWith("blocks.1.", StringComparison.Ordinal), Device);
        Assert.Equal(3, cache.Get(0, _ => Trace(model)).CompileReport.DistinctBlocks);
    }

    [Fact]
    public void Dynamic_False_CompilesForEachSizeAndNotesItOnce()
    {
        var graph = Trace(Loaded(new Model(2)));
        var compiled = new CompiledGraph(graph, Arenas, new() { Dynamic = false });
        using var eager = new CompiledGraph(graph, Arenas, CompileOptions.Eager).Rent(new Sizes(("n", 3), ("tokens", 4)));
        foreach (int tokens in new[] { 4, 5, 4, 6 })
        {
            using var plan = compiled.Rent(new Sizes(("n", 3), ("tokens", tokens)));
            foreach (string name in graph.Inputs.Keys) Fill(plan.Input(name), name.Length);
            plan.Run();
            if (tokens != 4) continue;
            foreach (string name in graph.Inputs.Keys) Fill(eager.Input(name), name.Length);
            eager.Run();
            Assert.Equal(eager.Output("y").Span<float>().ToArray(), plan.Output("y").Span<float>().ToArray());
        }

        Assert.Equal(3, compiled.CompileReport.Compilations);
        Assert.Contains("compiled again", Assert.Single(compiled.CompileReport.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Notes_OptionsWithoutEffectHere_AreNamed()
    {
        var options = new CompileOptions
        {
            Mode = CompileMode.ReduceOverhead,
            ChannelsLast = false,
            ForceFuseIntMmWithMul = false,
            UseMixedMm = false,
            CoordinateDescentCheckAllDirections = true
        };
        var notes = new CompiledGraph(Trace(new Model(1)), Arenas, options).CompileReport.Notes;
        foreach (string name in new[] { "Mode", "ChannelsLast", "ForceFuseIntMmWithMul", "UseMixedMm",
            "CoordinateDescentCheckAllDirections" })
            Assert.Contains(notes, note => note.StartsWith(name, StringComparison.Ordinal));
        Assert.Empty(new CompiledGraph(Trace(new Model(1)), Arenas).CompileReport.Notes);
    }

    private static Graph Trace(Model model) => Graph.Trace("model", g => g.Output("y", model.Forward(
        g.Input("x", DType.Float32, Dim.Symbol("n"), Dim.Symbol("tokens"), 8),
        g.LoopInvariantInput("prompt", DType.Float32, Dim.Symbol("n"), 5, 6))));

    /// <summary>Equal blocks, a wider one, and layers between them.</summary>
    private sealed class Model : Layer
    {
        private readonly IReadOnlyList<Block> blocks;
        private readonly Linear widen, gate;
        private readonly Block wide;

        public Model(int count)
        {
            blocks = ChildList("blocks", Enumerable.Range(0, count).Select(_ => new Block(8)));
            widen = Child("widen", new Linear(8, 16));
            wide = Child("wide", new Block(16));
            gate = Child("gate", new Linear(16, 16));
        }

        public override IReadOnlyList<string> RepeatedBlocks => [nameof(Block)];

        public bool Leaks { get; init; }

        public Value Forward(Value x, Value prompt) => Record(x, () =>
        {
            foreach (var block in blocks) x = block.Forward(x, prompt);
            if (Leaks) x += blocks[0].Inside!;
            x = wide.Forward(widen.Forward(x), prompt);
            return Silu(gate.Forward(x)) + x;
        });
    }

    /// <summary>Attention to a prompt and a feed-forward layer.</summary>
    private sealed class Block : Layer
    {
        private readonly LayerNorm norm;
        private readonly Attention attention;
        private readonly FeedForward ff;

        public Block(int width)
        {
            norm = Child("norm", new LayerNorm(width));
            attention = Child("attn", new Attention(width, 6, 2, width / 2));
            ff = Child("ff", new FeedForward(width));
        }

        public Value? Inside { get; private set; }

        public Value Forward(Value x, Value prompt) =>
            Record(x, () => ff.Forward(Inside = attention.Forward(norm.Forward(x), prompt) + x) + x);
    }
}
