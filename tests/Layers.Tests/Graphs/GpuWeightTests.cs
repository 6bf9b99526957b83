using System.Runtime.InteropServices;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using static ILGpuDiffusion.Layers.Graphs.Functional;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>
/// Weights of plans on GPUs: filters in the order of reads, and packed panels on OpenCL CPU devices, both prepared once.
/// </summary>
public sealed class GpuWeightTests : SmallGraphTests
{
    public static TheoryData<string> Gpus => [.. TestDevices.Gpus];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Gpus))]
    public void PrepackWeights_OnAGpu_ChangesNoBitAndIsFreedWithTheWeights(string id)
    {
        using var device = TestDevices.OpenAnother(id);
        Conv2d convolution = Loaded(new Conv2d(16, 24, 3, padding: 1));
        var linear = Loaded(new Linear(24, 16));
        var graph = Graph.Trace("packed", g => g.Output("y", Silu(linear.Forward(convolution.Forward(Image(g))))));
        using (var arenas = new ArenaPool(device))
        {
            var (expected, launches, _) = Run(new CompiledGraph(graph, arenas, CompileOptions.Eager), arenas);
            Assert.Equal(0, arenas.PackedWeights.Bytes);
            var (actual, fewer, repeated) =
                Run(new CompiledGraph(graph, arenas, CompileOptions.Eager with { PrepackWeights = true }), arenas);
            Assert.Equal(expected, actual);
            Assert.Equal(expected, repeated);

            // Only CPU devices read packed panels; a GPU's filters are uploaded in order, and matrices are read as stored.
            bool packs = arenas.PackedWeights.Bytes > 0;
            Assert.Equal(packs ? launches - 2 : launches, fewer);
            Assert.Equal(packs ? 7 : 3, launches);
            arenas.Weights.Trim();
            Assert.Equal(0, arenas.PackedWeights.Bytes);
            // uploaded and packed again
            Assert.Equal(expected, Run(new CompiledGraph(graph, arenas, CompileOptions.Eager with { PrepackWeights = true }),
                arenas).First);
        }

        Assert.Equal(0, device.AllocatedBytes);
    }

    private static (float[] First, int Launches, float[] Second) Run(CompiledGraph compiled, ArenaPool arenas)
    {
        using var plan = compiled.Rent(Sizes(1, 4));
        float[] image = [.. Enumerable.Range(0, 4 * 4 * 16).Select(i => i % 7 / 4f - 0.5f)];
        arenas.Device.Upload(MemoryMarshal.AsBytes(image.AsSpan()), plan.Input("image"));
        float[][] results = [new float[image.Length], new float[image.Length]];
        foreach (float[] result in results)
        {
            plan.Run();
            arenas.Device.Download(plan.Output("y"), MemoryMarshal.AsBytes(result.AsSpan()));
        }

        return (results[0], ((GraphPlan)plan).KernelCount, results[1]);
    }
}
