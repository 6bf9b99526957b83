using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One element per work item: its frequency, then a sine or cosine with argument reduction.</summary>
internal static class SinusoidalEmbeddingGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", static signature => new GpuKernel(
        KernelSource.Of(typeof(SinusoidalEmbeddingGpu), nameof(Kernel), ElementGrid.GroupSize),
        call =>
        {
            var (op, t, y) = ((SinusoidalEmbedding)call.Op, call.Inputs[0], call.Output);
            var grid = ElementGrid.Of(y.Rows, y.Width);
            return (grid.Groups, grid.Arguments(new GpuArguments().View("t", t).View("y", y), [("tPitch", t), ("yPitch", y)])
                .Int("channels", op.Channels).Int("cosinesFirst", op.FlipSinToCos ? 1 : 0)
                .Float("exponent", (float)-Math.Log(op.MaxPeriod)).Float("count", (float)(op.Channels / 2 - op.DownscaleFreqShift))
                .Float("scale", (float)op.Scale));
        }));

    // Rounded as in diffusers: exponent, quotient, exponential, product and scaled product each in float32.
    internal static void Kernel(
        ArrayView<float> t, ArrayView<float> y, int rows, int width, int shift, int columnBlocks, int tPitch, int yPitch, int channels,
            int cosinesFirst, float exponent, float count, float scale)
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int number = column / channels, i = column - number * channels, half = channels / 2;
        bool second = i >= half;
        int j = second ? i - half : i;
        float angle = t[row * tPitch + number] * DeviceFunctions.Exp(exponent * j / count) * scale;
        float value = second == (cosinesFirst != 0) ? DeviceFunctions.Sin(angle) : DeviceFunctions.Cos(angle);
        y[row * yPitch + column] = i >= 2 * half ? 0f : value;
    }
}
