using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Layers that read a value while tracing.</summary>
public sealed class GraphBreakTests : IDisposable
{
    private readonly CpuDevice device = new(threads: 1);
    private readonly ArenaPool arenas;

    public GraphBreakTests() => arenas = new ArenaPool(device);

    public void Dispose()
    {
        arenas.Dispose();
        Assert.Equal(0, device.AllocatedBytes);
        device.Dispose();
    }

    [Fact]
    public void FullGraph_ValueDependentBranch_NamesLayerAndValue()
    {
        var e = Assert.Throws<GraphBreakException>(() => new CompiledGraph(Trace(), arenas, new() { FullGraph = true }));
        Assert.Equal("gate", e.Layer);
        Assert.Contains("gate: layer 'gate' reads %3: Float32[1, 1], the result of slice, while tracing", e.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ValueDependentBranch_TakesEitherWay()
    {
        var compiled = new CompiledGraph(Trace(), arenas);
        using var plan = compiled.Rent(new Sizes(("rows", 2)));
        foreach (float first in new[] { 3f, -3f, 5f, -1f, -2f, 0.25f })
        {
            float[] x = [first, -1, 2, 0.5f];
            x.CopyTo(plan.Input("x").Span<float>());
            plan.Run();
            Assert.Equal(Expected(x), plan.Output("y").Span<float>().ToArray());
        }

        var report = compiled.CompileReport;
        string note = Assert.Single(report.Notes);
        Assert.Contains("layer 'gate' reads", note, StringComparison.Ordinal);
        Assert.Equal(3, report.Regions.Count); // the first part and both branches
    }

    [Fact]
    public void Rent_AnInputDoesNotFit_FreesTheOthers()
    {
        var graph = Graph.Trace("wide", g =>
        {
            Value x = g.Input("x", DType.Float32, 1, 1), wide = g.Input("wide", DType.Float32, 1, 1000);
            g.Output("y", Scale(wide, Item(x)));
        });
        var compiled = new CompiledGraph(graph, arenas);
        long before = device.AllocatedBytes;
        ShortMemory.Limit(device, 1000);
        Assert.Throws<DeviceException>(() => compiled.Rent(new Sizes()));
        Assert.Equal(before, device.AllocatedBytes);
        ShortMemory.Limit(device, null);
    }

    [Fact]
    public void Run_SeveralReads_HandValuesOnToEveryLaterPart()
    {
        // A value from the first part is used in the last, but not in the one between them.
        var graph = Graph.Trace("two", g =>
        {
            var x = g.Input("x", DType.Float32, 1, 1);
            var early = x * 3;
            double a = Item(x);
            var middle = Scale(x, a);
            bool large = Test(middle, v => v > 4);
            g.Output("y", large ? middle + early : early);
        });
        using var plan = new CompiledGraph(graph, arenas).Rent(new Sizes());
        for (int repeat = 0; repeat < 2; repeat++)
        {
            foreach (float x in new[] { 1f, 3f, -5f, 2f })
            {
                plan.Input("x").Span<float>()[0] = x;
                plan.Run();
                Assert.Equal(x * x > 4 ? x * x + 3 * x : 3 * x, plan.Output("y").Span<float>()[0]);
            }
        }
    }

    [Fact]
    public void Run_EachRead_CountsAsSynchronisation()
    {
        using var plan = new CompiledGraph(Trace(), arenas).Rent(new Sizes(("rows", 2)));
        plan.Run();
        long before = device.HostSynchronisations;
        plan.Run();
        Assert.True(device.HostSynchronisations > before);
    }

    [Fact]
    public void Run_EveryNumberNew_ForgetsOldParts()
    {
        var compiled = new CompiledGraph(Graph.Trace("item", g =>
        {
            var x = g.Input("x", DType.Float32, 1, 1);
            g.Output("y", Scale(x, Item(x)));
        }), arenas);
        using var plan = compiled.Rent(new Sizes());
        for (int i = 0; i < 100; i++)
        {
            plan.Input("x").Span<float>()[0] = i;
            plan.Run();
            Assert.Equal((float)i * i, plan.Output("y").Span<float>()[0]);
        }

        Assert.InRange(compiled.CompileReport.Compilations, 1, 64);
        Assert.Equal(2, compiled.CompileReport.Notes.Count);
    }

    [Fact]
    public void Trace_InputAfterRead_IsRefused()
    {
        var compiled = new CompiledGraph(Graph.Trace("late", g =>
        {
            var x = g.Input("x", DType.Float32, 1, 1);
            g.Output("y", Item(x) > 0 ? x + g.Input("z", DType.Float32, 1, 1) : x);
        }), arenas);
        using var plan = compiled.Rent(new Sizes());
        plan.Input("x").Span<float>()[0] = 1;
        Assert.Contains("'z' is declared after a value was read", Assert.Throws<InvalidOperationException>(() => plan.Run()).Message,
            StringComparison.Ordinal);
    }

    private static Graph Trace()
    {
        var gate = new Gate();
        return Graph.Trace("gate", g => g.Output("y", gate.Forward(g.Input("x", DType.Float32, Dim.Symbol("rows"), 2))));
    }

    private static float[] Expected(float[] x) => [.. x.Select(v => x[0] > 0 ? v * 2 + v : v * 2 * -1 + 7)];

    /// <summary>Branches on the sign of the first number.</summary>
    private sealed class Gate : Layer
    {
        public Gate() => _ = new Holder(this);

        public Value Forward(Value x) => Record(x, () =>
        {
            var twice = x * 2;
            var first = Slice(Slice(x, 0, 0, 1), 1, 0, 1);
            return Test(first, v => v > 0) ? twice + x : x.Graph.Add(new Affine(-1, 7), twice);
        });

        /// <summary>Gives the gate a path.</summary>
        private sealed class Holder : Layer
        {
            public Holder(Gate gate) => Child("gate", gate);
        }
    }
}
