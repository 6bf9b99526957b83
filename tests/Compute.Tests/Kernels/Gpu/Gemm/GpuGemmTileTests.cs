using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// GEMMs in tiles: the code of every tile, and results of several, with access to one and four elements, with and without split-K.
/// </summary>
public sealed class GpuGemmTileTests
{
    private const int StaticSharedBytes = 49152;

    private static readonly OpCase[] Cases =
    [
        // Sizes are multiples of four, so that four elements are accessed at once, but not of any tile.
        new("plain", new MatMul(new Epilogue(BatchBias: true, Activation: UnaryFunction.Silu, Scale: 0.5, Residual: true)),
            [CaseTensor.Normal([2, 70, 44], 1), CaseTensor.Normal([140, 44], 2, 0.2), CaseTensor.Normal([140], 3),
                CaseTensor.Normal([2, 1, 140], 4), CaseTensor.Normal([2, 70, 140], 5)], 2e-6),
        new("deep", new MatMul(),
            [CaseTensor.Normal([18, 1100], 1), CaseTensor.Normal([36, 1100], 2, 0.03, DType.BFloat16), CaseTensor.Normal([36], 3)], 3e-6),
        new("odd", new MatMul(), [CaseTensor.Normal([35, 77], 1), CaseTensor.Normal([67, 77], 2, 0.1), CaseTensor.Normal([67], 3)], 2e-6),
        new("gated", new GatedMatMul(), [CaseTensor.Normal([37, 40], 1), CaseTensor.Normal([136, 40], 2, 0.2), CaseTensor.Normal([136], 3)],
            2e-6),
        new("image", new Conv2D(1, 1, 1),
            [CaseTensor.Normal([2, 9, 7, 20], 1), CaseTensor.Normal([36, 20, 3, 3], 2, 0.1), CaseTensor.Normal([36], 3)], 3e-6),
    ];

    /// <summary>
    /// Rows, columns and work items of a tile, parts of the inner dimension, and the ops that use it; few, because a CPU's driver takes
    /// long for each kernel.
    /// </summary>
    private static readonly (int Rows, int Columns, int Items, int Parts, string[] Cases)[] Executed =
        [(128, 128, 256, 1, ["plain", "gated", "image"]), (32, 128, 64, 2, ["deep", "odd", "gated", "image"]),
            (64, 32, 64, 1, ["plain", "odd"])];

    public static TheoryData<string, string, int> OnGpus
    {
        get
        {
            var rows = new TheoryData<string, string, int>();
            foreach (string device in TestDevices.Gpus)
                for (int tile = 0; tile < Executed.Length; tile++)
                    foreach (string name in Executed[tile].Cases) rows.Add(device, name, tile);
            return rows;
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(OnGpus))]
    public void Gemm_InTiles_MatchesReference(string id, string name, int tile)
    {
        var @case = Cases.Single(c => c.Name == name);
        var (rows, columns, items, parts, _) = Executed[tile];
        foreach (int padding in new[] { 0, 3 })
        {
            using var bound = new BoundCase(TestDevices.Open(id), @case, padding, variant: "gpu/tiles",
                settings: Settings(rows, columns, items, parts));
            bound.Run();
            OpReference.Verify(@case, bound.Read());
        }
    }

    public static TheoryData<int> Tiles => [.. Enumerable.Range(0, GpuGemmTile.All.Count)];

    [Theory, MemberData(nameof(Tiles))]
    public void Code_OfEveryTile_StaysInRegistersAndReadsFourAtOnce(int index)
    {
        var tile = GpuGemmTile.All[index];
        var hopper = new TranslatingDevice(GpuTarget.Cuda(9, 0));
        Bind(hopper, tile, "plain", parts: 1);
        Bind(hopper, tile, "image", parts: 1);
        Bind(hopper, tile, "deep", parts: 2);
        if (tile.HasTwoColumns) Bind(hopper, tile, "gated", parts: 1);
        var gemms = hopper.Artifacts.Where(a => a.Key.Method.DeclaringType == typeof(TiledGemm)).ToArray();
        Assert.Equal(tile.HasTwoColumns ? 4 : 3, gemms.Length);
        foreach (var (source, artifact) in gemms)
        {
            Assert.Equal(tile.LocalBytes, artifact.SharedBytes);
            Assert.InRange(artifact.SharedBytes, 1, StaticSharedBytes);
            Assert.False(artifact.Text.Contains(".local", StringComparison.Ordinal), $"{source}: the text uses local memory.");
            Assert.Equal(typeof(WideAccess), source.Method.GetGenericArguments()[^1]);
            Assert.Contains("ld.global.v4.f32", artifact.Text, StringComparison.Ordinal);
            Assert.Contains("st.global.v4.f32", artifact.Text, StringComparison.Ordinal);
            Assert.Contains("ld.shared.v4.f32", artifact.Text, StringComparison.Ordinal);
        }
    }

    /// <summary>The tiles that are chosen without tuning, assembled; perf/results lists the registers of the others.</summary>
    [Fact]
    public void AssembledCode_OfUsualTiles_SpillsNothing()
    {
        _ = PtxAssembler.Path; // skips before translating anything
        var hopper = new TranslatingDevice(GpuTarget.Cuda(9, 0));
        foreach (var (rows, columns, items) in new[] { (128, 128, 256), (128, 64, 256), (32, 128, 64), (64, 32, 64) })
            foreach (string name in new[] { "plain", "image" }) Bind(hopper, GpuGemmTile.Find(rows, columns, items)!, name, parts: 1);
        var gemms = hopper.Artifacts.Where(a => a.Key.Method.DeclaringType == typeof(TiledGemm)).ToArray();
        Assert.Equal(8, gemms.Length);
        var reports = PtxAssembler.Assemble("sm_90", [.. gemms.Select(p => (p.Key.ToString(), p.Value))]);
        Assert.All(reports, report => Assert.Equal((0, 0), (report.SpillBytes, report.StackBytes)));
        Assert.All(reports, report => Assert.InRange(report.Registers, 32, 128));
    }

    private static void Bind(TranslatingDevice device, GpuGemmTile tile, string name, int parts)
    {
        var @case = Cases.Single(c => c.Name == name);
        device.Bind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)), "gpu/tiles",
            Settings(tile.Rows, tile.Columns, tile.Items, parts), gap: 0);
    }

    [Theory, InlineData(9, 0, 4096, 640, 128, 128, 256), InlineData(8, 0, 77, 2048, 32, 128, 64), InlineData(8, 6, 4096, 64, 128, 64, 256),
        InlineData(8, 9, 4096, 4, 64, 32, 64)]
    public void Tile_WithoutMeasuring_SuitsSizes(int major, int minor, int rows, int columns, int tileRows, int tileColumns, int items)
    {
        var start = Start(GpuTarget.Cuda(major, minor), rows, columns);
        Assert.Equal((tileRows, tileColumns, items),
            (start[GpuGemmTuning.TileRows], start[GpuGemmTuning.TileColumns], start[GpuGemmTuning.GroupItems]));
    }

    [Fact]
    public void Tile_WithoutMeasuring_FitsSmallDevices()
    {
        var small = GpuTarget.OpenClCpu()
            with
        { Architecture = "opencl-gpu-arm-mali", IsCpu = false, MaxGroupSize = 128, LocalMemoryBytes = 8192 };
        foreach (int rows in new[] { 1, 77, 4096 })
            foreach (bool gated in new[] { false, true })
            {
                var start = Start(small, rows, 640, gated);
                var tile = GpuGemmTuning.Tile(start)!;
                Assert.True(tile.Items <= small.MaxGroupSize && tile.LocalBytes <= small.LocalMemoryBytes && (!gated || tile.HasTwoColumns),
                    $"{start}");
            }
    }

    [Fact]
    public void Tuner_OverTiles_DescendsToTheFastest()
    {
        var device = new TranslatingDevice(GpuTarget.Cuda(9, 0));
        TensorType[] inputs = [new(DType.Float32, [4096, 640]), new(DType.Float32, [640, 640])];
        var op = new MatMul();
        var signature = new OpSignature(op, inputs, op.Infer(inputs));
        var fastest = Settings(64, 64, 64, 2);
        int Steps(TuningParameter parameter, KernelSettings settings) =>
            Math.Abs(parameter.Values.IndexOf(settings[parameter]) - parameter.Values.IndexOf(fastest[parameter]));
        var timer = new FakeTimer(choice => 1 + GpuGemmTuning.Parameters.Sum(parameter => Steps(parameter, choice.Settings)));
        var found = new Tuner(timer, new TunerOptions()).Run(device, signature, [.. op.Kernels.Candidates(device, signature)],
            TestContext.Current.CancellationToken);
        Assert.Equal(fastest, found.Best.Settings);
        Assert.True(found.Complete);
    }

    private static KernelSettings Start(GpuTarget target, int rows, int columns, bool gated = false) =>
        GpuGemmTuning.Start(new TranslatingDevice(target), new GemmSize(rows, columns, 640, 1, DType.Float16, IsGated: gated));

    private static KernelSettings Settings(int rows, int columns, int items, int parts) => KernelSettings.Default
        .With(GpuGemmTuning.TileRows, rows).With(GpuGemmTuning.TileColumns, columns).With(GpuGemmTuning.GroupItems, items)
            .With(GpuGemmTuning.SplitK, parts);
}
