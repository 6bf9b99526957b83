using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Three kernels, one channel per work item: sums of blocks of pixels multiplied by seven waves, their totals, and the weighted waves
/// added. A wave along both sides is the product of waves along one; if a side has length 1, its frequency −1 equals 0 and is left out.
/// </summary>
internal static class FourierFilterGpu
{
    private const int Waves = 7, PixelsPerBlock = 256, Lanes = 64;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/direct", signature =>
    {
        Type[] types = GpuElements.Of(signature.Output.DType);
        var sum = KernelSource.Of(typeof(FourierFilterGpu), nameof(Sum), Lanes, types);
        var join = KernelSource.Of(typeof(FourierFilterGpu), nameof(Join), ElementGrid.GroupSize);
        var add = KernelSource.Of(typeof(FourierFilterGpu), nameof(Add), ElementGrid.GroupSize, types);
        return new GpuKernel(call => Stages(call, sum, join, add), s => Scratch(s.Output.Concrete()) * sizeof(float));
    });

    private static int Blocks(Shape x) => IntegerMath.CeilDiv(x[1] * x[2], PixelsPerBlock);

    private static long Scratch(Shape x) => (long)Waves * x[0] * x[3] * (Blocks(x) + 1);

    private static IEnumerable<LaunchSpecification> Stages(OpCall call, KernelSource sum, KernelSource join, KernelSource add)
    {
        var (x, y) = (ElementGrid.Indexed(call.Inputs[0]), ElementGrid.Indexed(call.Output));
        int images = x.Shape[0], height = x.Shape[1], width = x.Shape[2], channels = x.Shape[3], blocks = Blocks(x.Shape),
            totals = images * blocks * Waves * channels;
        var scratch = new Tensor(call.Scratch!.Buffer, call.Scratch.Offset, DType.Float32, [checked((int)Scratch(x.Shape))]);
        yield return new(sum, new GpuGrid(IntegerMath.CeilDiv(channels, Lanes), blocks, images), new GpuArguments()
            .View("x", x).View("scratch", scratch)
            .Int("height", height).Int("width", width).Int("channels", channels).Int("pitch", x.RowPitch));
        yield return new(join, GpuGrid.Over((long)images * Waves * channels, ElementGrid.GroupSize), new GpuArguments()
            .View("scratch", scratch).Int("images", images).Int("blocks", blocks).Int("channels", channels).Int("totals", totals));
        var grid = ElementGrid.Of(y.Rows, channels);
        float factor = (float)((((FourierFilter)call.Op).Scale - 1) / ((double)height * width));
        var views = new GpuArguments().View("x", x).View("scratch", scratch).View("y", y);
        yield return new(add, grid.Groups, grid.Arguments(views, [("xPitch", x), ("yPitch", y)], widthName: "channels")
            .Int("height", height).Int("width", width).Int("totals", totals).Float("factor", factor));
    }

    internal static void Sum<T, E>(ArrayView<T> x, ArrayView<float> scratch, int height, int width, int channels, int pitch)
        where T : unmanaged where E : struct, IElement<T>
    {
        int channel = Grid.IdxX * Lanes + Group.IdxX, pixels = height * width, first = Grid.IdxY * PixelsPerBlock,
            last = first + PixelsPerBlock < pixels ? first + PixelsPerBlock : pixels;
        if (channel >= channels) return;
        float all = 0f, c1 = 0f, s1 = 0f, c2 = 0f, s2 = 0f, c3 = 0f, s3 = 0f;
        for (int pixel = first; pixel < last; pixel++)
        {
            float value = E.Widen(x[(Grid.IdxZ * pixels + pixel) * pitch + channel]);
            float right = Turn(pixel % width, width), down = Turn(pixel / width, height);
            float cosRight = DeviceFunctions.Cos(right), sinRight = DeviceFunctions.Sin(right), cosDown = DeviceFunctions.Cos(down),
                sinDown = DeviceFunctions.Sin(down);
            all += value;
            c1 = DeviceMath.Fma(value, cosRight, c1);
            s1 = DeviceMath.Fma(value, sinRight, s1);
            c2 = DeviceMath.Fma(value, cosDown, c2);
            s2 = DeviceMath.Fma(value, sinDown, s2);
            c3 = DeviceMath.Fma(value, cosRight * cosDown - sinRight * sinDown, c3);
            s3 = DeviceMath.Fma(value, sinRight * cosDown + cosRight * sinDown, s3);
        }

        int at = (Grid.IdxZ * Grid.DimY + Grid.IdxY) * Waves * channels + channel;
        scratch[at] = all;
        scratch[at + channels] = width > 1 ? c1 : 0f;
        scratch[at + 2 * channels] = width > 1 ? s1 : 0f;
        scratch[at + 3 * channels] = height > 1 ? c2 : 0f;
        scratch[at + 4 * channels] = height > 1 ? s2 : 0f;
        scratch[at + 5 * channels] = width > 1 && height > 1 ? c3 : 0f;
        scratch[at + 6 * channels] = width > 1 && height > 1 ? s3 : 0f;
    }

    internal static void Join(ArrayView<float> scratch, int images, int blocks, int channels, int totals)
    {
        int item = Grid.IdxX * ElementGrid.GroupSize + Group.IdxX, wide = Waves * channels;
        if (item >= images * wide) return;
        int image = item / wide, at = image * blocks * wide + item - image * wide;
        float sum = 0f;
        for (int block = 0; block < blocks; block++) sum += scratch[at + block * wide];
        scratch[totals + item] = sum;
    }

    internal static void Add<T, E>(
        ArrayView<T> x, ArrayView<float> scratch, ArrayView<T> y, int rows, int channels, int shift, int columnBlocks, int xPitch,
            int yPitch, int height, int width, int totals, float factor)
        where T : unmanaged where E : struct, IElement<T>
    {
        int row = Lane.Row(shift, columnBlocks), channel = Lane.Column(shift, columnBlocks);
        if (row >= rows || channel >= channels) return;
        int line = row / width, at = totals + line / height * Waves * channels + channel;
        float right = Turn(row % width, width), down = Turn(line % height, height);
        float cosRight = DeviceFunctions.Cos(right), sinRight = DeviceFunctions.Sin(right), cosDown = DeviceFunctions.Cos(down),
            sinDown = DeviceFunctions.Sin(down);
        float wave = scratch[at];
        wave = DeviceMath.Fma(scratch[at + channels], cosRight, wave);
        wave = DeviceMath.Fma(scratch[at + 2 * channels], sinRight, wave);
        wave = DeviceMath.Fma(scratch[at + 3 * channels], cosDown, wave);
        wave = DeviceMath.Fma(scratch[at + 4 * channels], sinDown, wave);
        wave = DeviceMath.Fma(scratch[at + 5 * channels], cosRight * cosDown - sinRight * sinDown, wave);
        wave = DeviceMath.Fma(scratch[at + 6 * channels], sinRight * cosDown + cosRight * sinDown, wave);
        y[row * yPitch + channel] = E.Narrow(DeviceMath.Fma(wave, factor, E.Widen(x[row * xPitch + channel])));
    }

    // 2π · index / size; the sign does not matter, since every sine is taken twice.
    [MethodImpl(Inline)]
    private static float Turn(int index, int size) => 6.2831853f * ((float)index / size);
}
