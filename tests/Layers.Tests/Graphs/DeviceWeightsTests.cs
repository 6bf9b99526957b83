using System.Runtime.InteropServices;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Weights on devices that copy them, in the type that the model computes in.</summary>
public sealed class DeviceWeightsTests
{
    private const int Entries = 5, Channels = 7;

    public static TheoryData<string> Gpus => [.. TestDevices.Gpus];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Gpus))]
    public void To_BFloat16_RoundsATableOnItsWayToTheDevice(string id)
    {
        var device = TestDevices.Open(id);
        float[] table = [.. Enumerable.Range(0, Entries * Channels).Select(i => 0.1f * i - 1)];
        using var host = new CpuDevice(threads: 1);
        using var buffer = host.Allocate(table.Length * sizeof(float));
        var stored = new Tensor(buffer, 0, DType.Float32, [Entries, Channels]);
        host.Upload(MemoryMarshal.AsBytes(table.AsSpan()), stored);
        var layer = new Embedding(Entries, Channels);
        layer.Load(new OneWeight(stored));
        layer.To(DType.BFloat16);
        Assert.Equal(DType.BFloat16, layer.Parameters.Single().Type.DType);

        using var arenas = new ArenaPool(device);
        using var plan = new CompiledGraph(
            Graph.Trace("test", g => g.Output("y", layer.Forward(g.Input("ids", DType.Int32, Dim.Symbol("n"))))),
                arenas).Rent(new Sizes(("n", Entries)));
        device.Upload(MemoryMarshal.AsBytes<int>([0, 1, 2, 3, 4]), plan.Input("ids"));
        plan.Run();
        float[] y = new float[table.Length];
        device.Download(plan.Output("y"), MemoryMarshal.AsBytes(y.AsSpan()));
        Assert.Equal(table.Select(v => BFloat16Bits.Widen(BFloat16Bits.Round(v))), y);
    }

    [Fact]
    public void To_Of16Bits_LeavesVectorsAsTheyAreStored()
    {
        var layer = new Linear(Channels, Entries);
        layer.To(DType.Float16);
        Assert.Equal([DType.Float16, DType.Float32], layer.Parameters.OrderByDescending(p => p.Shape.Rank).Select(p => p.Type.DType));
        layer.To(DType.Float32);
        Assert.All(layer.Parameters, p => Assert.Equal(DType.Float32, p.Type.DType));
    }

    private sealed class OneWeight(Tensor tensor) : IWeightSource
    {
        public string Location => "test";

        public IEnumerable<string> Names => ["weight"];

        public Tensor? Find(string name) => name == "weight" ? tensor : null;
    }
}
