using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Trace, compile, plan and run a small graph of ops without weights.</summary>
public sealed class CompiledGraphTests : IDisposable
{
    private readonly CpuDevice device = new(threads: 2);
    private readonly ArenaPool arenas;
    private readonly Graph graph = Graph.Trace("test", g =>
    {
        var x = g.Input("x", DType.Float32, Dim.Symbol("rows"), 8);
        var h = Silu(x * 2);
        g.Output("y", h + x);
        g.Output("twice", ConcatBatch(h, h));
    });

    public CompiledGraphTests() => arenas = new ArenaPool(device);

    public void Dispose()
    {
        arenas.Dispose();
        Assert.Equal(0, device.AllocatedBytes);
        device.Dispose();
    }

    [Fact]
    public void Rent_NewSizes_MakesPlansNotCompilations()
    {
        var compiled = new CompiledGraph(graph, arenas);
        int kernels = 0;
        foreach (int rows in new[] { 1, 3, 64, 3, 1 })
        {
            using var plan = compiled.Rent(new Sizes(("rows", rows)));
            Assert.Equal([rows, 8], plan.Output("y").Shape);
            Assert.Equal([2 * rows, 8], plan.Output("twice").Shape);
            plan.Run();
            kernels = kernels == 0 ? device.Kernels.Compilations : kernels;
        }

        Assert.Equal(1, compiled.CompileReport.Compilations);
        Assert.Equal(3, compiled.Plans);
        Assert.Equal(kernels, device.Kernels.Compilations);
    }

    [Fact]
    public void Run_Twice_ComputesAndKeepsInputs()
    {
        using var plan = new CompiledGraph(graph, arenas).Rent(new Sizes(("rows", 2)));
        float[] x = [.. Enumerable.Range(0, 16).Select(i => i / 4f - 2)];
        x.CopyTo(plan.Input("x").Span<float>());
        for (int run = 0; run < 2; run++)
        {
            plan.Run();
            float[] y = plan.Output("y").Span<float>().ToArray();
            for (int i = 0; i < x.Length; i++) Assert.Equal(2 * x[i] / (1 + Math.Exp(-2 * x[i])) + x[i], y[i], 1e-5);
        }

        Assert.Equal(x, plan.Input("x").Span<float>().ToArray());
    }

    [Fact]
    public void Run_AfterTheFirst_AllocatesNothing()
    {
        using var plan = new CompiledGraph(graph, arenas).Rent(new Sizes(("rows", 500)));
        plan.Run();
        long managed = GC.GetAllocatedBytesForCurrentThread(), native = device.AllocatedBytes;
        for (int i = 0; i < 10; i++) plan.Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - managed);
        Assert.Equal(native, device.AllocatedBytes);
        Assert.Equal(0, device.HostSynchronisations);
    }

    [Fact]
    public void Rent_AfterReturn_ReusesPlanAndArena()
    {
        var compiled = new CompiledGraph(graph, arenas);
        var first = compiled.Rent(new Sizes(("rows", 4)));
        first.Dispose();
        using var second = compiled.Rent(new Sizes(("rows", 4)));
        Assert.Same(first, second);
    }

    [Fact]
    public void Rent_AfterConcurrentReturns_ReusesAllPlansAndArenas()
    {
        var compiled = new CompiledGraph(graph, arenas);
        var sizes = new Sizes(("rows", 4));
        Plan[] first = [.. Enumerable.Range(0, 3).Select(_ => compiled.Rent(sizes))];
        foreach (var plan in first) plan.Dispose();
        long bytes = device.AllocatedBytes;
        Plan[] second = [.. Enumerable.Range(0, 3).Select(_ => compiled.Rent(sizes))];
        Assert.Equal(first.ToHashSet(), second.ToHashSet());
        Assert.Equal(bytes, device.AllocatedBytes);
        foreach (var plan in second) plan.Dispose();
        arenas.Trim();
        Assert.Equal(0, device.AllocatedBytes);
    }

    [Fact]
    public void Rent_LargerSizes_GrowAnIdleArena()
    {
        var compiled = new CompiledGraph(graph, arenas);
        foreach (int rows in new[] { 4, 400, 40, 4000 }) compiled.Rent(new Sizes(("rows", rows))).Dispose();
        using var plan = compiled.Rent(new Sizes(("rows", 4)));
        Assert.True(plan.ArenaBytes < device.AllocatedBytes);
        Assert.Equal(compiled.Report(new Sizes(("rows", 4000))).ArenaBytes, device.AllocatedBytes);
    }

    [Fact]
    public void Rent_AtTheSameTime_GivesSeparateMemory()
    {
        var compiled = new CompiledGraph(graph, arenas);
        using var first = compiled.Rent(new Sizes(("rows", 4)));
        using var second = compiled.Rent(new Sizes(("rows", 4)));
        first.Input("x").Span<float>().Fill(1);
        second.Input("x").Span<float>().Fill(-1);
        first.Run();
        second.Run();
        Assert.NotEqual(first.Output("y").Span<float>()[0], second.Output("y").Span<float>()[0]);
    }

    [Fact]
    public void Run_Cancelled_Throws()
    {
        using var plan = new CompiledGraph(graph, arenas).Rent(new Sizes(("rows", 4)));
        Assert.Throws<OperationCanceledException>(() => plan.Run(new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Rent_MissingSize_SaysWhich()
    {
        var e = Assert.Throws<ShapeException>(() => new CompiledGraph(graph, arenas).Rent(new Sizes(("columns", 4))));
        Assert.Contains("'rows' has no value", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Trace_WrongShapes_NamesTheGraph()
    {
        var e = Assert.Throws<ShapeException>(() =>
            Graph.Trace("broken", g => g.Output("y", g.Input("a", DType.Float32, 2, 3) + g.Input("b", DType.Float32, 2, 4))));
        Assert.StartsWith("broken", e.Message, StringComparison.Ordinal);
    }
}
