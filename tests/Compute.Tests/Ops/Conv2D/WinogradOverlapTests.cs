using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Winograd's convolution with the result overlapping its argument: the same bits as in separate memory.</summary>
public sealed class WinogradOverlapTests
{
    [Theory]
    [InlineData(1, 61, 63, 64, 32, 12, 1)] // own tiles
    [InlineData(1, 61, 63, 64, 32, 12, 3)]
    [InlineData(3, 18, 21, 70, 35, 24, 2)]
    [InlineData(1, 40, 36, 96, 37, 0, 3)] // shared blocks
    [InlineData(2, 18, 40, 64, 32, 0, 2)]
    public void Result_OverItsArgument_HasTheSameBits(int n, int height, int width, int channels, int outputs, int ownTiles, int threads)
    {
        const string Variant = "cpu/winograd4x4";
        using var device = new CpuDevice(threads);
        var op = new Conv2D(1, 1, 1);
        TensorType[] types = [new(DType.Float32, Shape.Create([n, height, width, channels])),
            new(DType.Float32, Shape.Create([outputs, channels, 3, 3])), new(DType.Float32, Shape.Create([outputs]))];
        int ownKib = ownTiles * 36 * 4 * ((channels + 15) / 16 * 16) / 1024;
        var signature = new OpSignature(op, types,
            op.Infer(types))
        { Settings = KernelSettings.Of([new("own_kib", ownKib), new("block_tiles", 48)]) };
        var kernel = op.Kernels.Variants.Single(v => v.Name == Variant).Compile(device, signature);
        long lead = kernel.OverlapLead(signature) ?? throw new InvalidOperationException("The kernel could not overlap.");
        long bytes = types[0].Bytes;
        using var apart = device.Allocate(bytes);
        using var together = device.Allocate(lead + bytes);
        using var result = device.Allocate(signature.Output.Bytes);
        using var weights = device.Allocate(types[1].Bytes);
        using var bias = device.Allocate(types[2].Bytes);
        using var scratch = device.Allocate(kernel.ScratchBytes(signature));
        Tensor w = Filled(new Tensor(weights, 0, DType.Float32, types[1].Concrete()), 2),
            b = Filled(new Tensor(bias, 0, DType.Float32, types[2].Concrete()), 3);
        var beside = new Tensor(result, 0, DType.Float32, signature.Output.Concrete());
        var over = new Tensor(together, 0, DType.Float32, signature.Output.Concrete());
        Run(Filled(new Tensor(apart, 0, DType.Float32, types[0].Concrete()), 1), beside);
        Run(Filled(new Tensor(together, lead, DType.Float32, types[0].Concrete()), 1), over);
        Assert.True(beside.Span<float>().SequenceEqual(over.Span<float>()));

        void Run(Tensor x, Tensor y) =>
            kernel.Bind(new OpCall(device, op, [x, w, b], y,
                new Tensor(scratch, 0, DType.Int8, Shape.Create([1, (int)scratch.Bytes])))
            { Settings = signature.Settings }).Run();
    }

    [Theory]
    [InlineData(1, 61, 63, 64, 32)]
    [InlineData(1, 128, 8, 64, 16)]
    [InlineData(4, 18, 5, 33, 16)]
    public void BatchEnd_OverlappingInputAndOutput_WritesBehindUnreadInput(int n, int height, int width, int channels, int outputs)
    {
        const int Side = WinogradGrid.TileSide, Padding = 1;
        using var device = new CpuDevice(1);
        Shape x = Shape.Create([n, height, width, channels]), y = Shape.Create([n, height, width, outputs]);
        var op = new Conv2D(1, Padding, Padding);
        TensorType[] types = [new(DType.Float32, x), new(DType.Float32, Shape.Create([outputs, channels, 3, 3]))];
        long lead = WinogradOverlap.LeadBytes(new OpSignature(op, types, new(DType.Float32, y)))!.Value;
        using var memory = device.Allocate(lead + types[0].Bytes);
        var weight = new Tensor(memory, 0, DType.Float32, Shape.Create([1, 1, 1, 1]));
        var overlap = WinogradOverlap.Of(
            new OpCall(device, op, [new Tensor(memory, lead, DType.Float32, x), weight], new Tensor(memory, 0, DType.Float32, y)))!.Value;
        int down = (height + Side - 1) / Side, rows = n * down, batches = 0;
        for (int first = 0, end; first < rows; first = end, batches++)
        {
            end = overlap.BatchEnd(first, rows);
            Assert.InRange(end, first + 1, rows);
            int firstRead = first / down * height + Math.Max(0, first % down * Side - Padding);
            int lastWritten = (end - 1) / down * height + Math.Min(height, (end - 1) % down * Side + Side);
            Assert.InRange((long)lastWritten * width * outputs * sizeof(float), 0,
                lead + (long)firstRead * width * channels * sizeof(float));
        }

        Assert.InRange(batches, 2, rows - 1);
    }

    [Fact]
    public void Overlap_WithoutLead_Throws()
    {
        using var device = new CpuDevice(1);
        using var memory = device.Allocate(4096);
        var x = new Tensor(memory, 0, DType.Float32, Shape.Create([1, 4, 4, 32]));
        var y = new Tensor(memory, 0, DType.Float32, Shape.Create([1, 4, 4, 16]));
        var w = new Tensor(memory, 0, DType.Float32, Shape.Create([1, 1, 1, 1]));
        var thrown = Assert.Throws<ShapeException>(() => WinogradOverlap.Of(new OpCall(device, new Conv2D(1, 1, 1), [x, w], y)));
        Assert.Contains("apart from", thrown.Message, StringComparison.Ordinal);
    }

    private static Tensor Filled(Tensor tensor, int seed)
    {
        var random = new Random(seed);
        foreach (ref float value in tensor.Span<float>()) value = random.NextSingle() - 0.5f;
        return tensor;
    }
}
