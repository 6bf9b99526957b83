using System.Runtime.InteropServices;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Checks at the first use of weights: their file is unchanged, and they are finite.</summary>
public sealed class UsedWeightsTests : IDisposable
{
    private const int In = 40, Out = 33;
    private readonly string folder = Directory.CreateTempSubdirectory("ilgd-used-").FullName;
    private readonly CpuDevice device = new(threads: 2);

    private string Path => System.IO.Path.Combine(folder, "model.safetensors");

    public void Dispose()
    {
        device.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<string> Devices => ["cpu", .. TestDevices.Gpus];

    [Theory, InlineData("cut"), InlineData("grown"), InlineData("written")]
    public void Run_FileChangedOnDisk_SaysSo(string how)
    {
        Save(DType.Float32);
        using var checkpoint = Checkpoint.Open(Path);
        var layer = new Linear(In, Out);
        layer.Load(checkpoint);
        using var arenas = new ArenaPool(device);
        using var plan = Rent(layer, arenas, rows: 5);
        plan.Run();
        using (var file = new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            if (how == "written") file.Write([1]);
            else file.SetLength(how == "cut" ? 0 : file.Length + 1);
        }

        File.SetLastWriteTimeUtc(Path, DateTime.UtcNow.AddSeconds(1)); // file times may be coarse
        foreach (Action use in (Action[])[() => plan.Run(), () => Rent(layer, arenas, rows: 100).Dispose(),
            () => DynamicQuantization.Apply(layer, device: device).Dispose()])
        {
            var failure = Assert.Throws<ModelFileException>(use);
            Assert.Equal(Path, failure.File);
            Assert.Contains("the weights changed on disk", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Run_FileReplacedByAnother_GoesOnWithTheOldOne()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows does not replace files that are in use.");
        Save(DType.Float32);
        using var checkpoint = Checkpoint.Open(Path);
        var layer = new Linear(In, Out);
        layer.Load(checkpoint);
        using var arenas = new ArenaPool(device);
        using var plan = Rent(layer, arenas, rows: 5);
        plan.Run();
        Save(DType.BFloat16);
        plan.Run();
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Devices))]
    public void Rent_WeightsThatAreNoNumbers_NamesFileAndTensor(string id)
    {
        var target = id == "cpu" ? device : TestDevices.Open(id);
        foreach (var dtype in (DType[])[DType.Float32, DType.Float16, DType.BFloat16])
        {
            foreach (var (at, value) in ((int, float)[])[(0, float.NaN), (In * Out / 2, float.NegativeInfinity),
                (In * Out - 1, float.PositiveInfinity)])
            {
                Save(dtype, at, value);
                using var checkpoint = Checkpoint.Open(Path);
                var layer = new Linear(In, Out);
                layer.Load(checkpoint);
                using var arenas = new ArenaPool(target);
                var failure = Assert.Throws<ModelFileException>(() => Rent(layer, arenas, rows: 5));
                Assert.Equal(Path, failure.File);
                Assert.Contains($"tensor 'weight' holds NaN or infinity (element {at} of [{Out}, {In}])", failure.Message,
                    StringComparison.Ordinal);
            }

            Save(dtype);
            using var sound = Checkpoint.Open(Path);
            var good = new Linear(In, Out);
            good.Load(sound);
            using var pool = new ArenaPool(target);
            Rent(good, pool, rows: 5).Dispose();
        }
    }

    [Fact]
    public void Quantize_WeightsThatAreNoNumbers_NamesThem()
    {
        Save(DType.Float16, 3, float.NaN);
        using var checkpoint = Checkpoint.Open(Path);
        var layer = new Linear(In, Out);
        layer.Load(checkpoint);
        Assert.Contains("'weight' holds NaN",
            Assert.Throws<ModelFileException>(() => DynamicQuantization.Apply(layer, device: device)).Message, StringComparison.Ordinal);
    }

    private static Plan Rent(Linear layer, ArenaPool arenas, int rows) =>
        new CompiledGraph(Graph.Trace("test", g => g.Output("y", layer.Forward(g.Input("x", DType.Float32, Dim.Symbol("n"), In)))),
            arenas).Rent(new Sizes(("n", rows)));

    private void Save(DType dtype, int at = 0, float? value = null)
    {
        float[] weight = [.. Enumerable.Range(0, In * Out).Select(i => MathF.Sin(i))];
        if (value is { } wrong) weight[at] = wrong;
        var writer = new SafetensorsWriter();
        writer.Add("weight", dtype, [Out, In], weight);
        writer.Add("bias", dtype, [Out], weight[^Out..].Select(w => float.IsFinite(w) ? w : 0).ToArray());
        writer.Save(Path);
    }
}
