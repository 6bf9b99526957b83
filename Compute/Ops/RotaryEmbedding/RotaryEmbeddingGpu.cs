using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One pair per work item, so that y may be x.</summary>
internal static class RotaryEmbeddingGpu
{
    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", signature => new GpuKernel(
        KernelSource.Of(typeof(RotaryEmbeddingGpu), nameof(Kernel), ElementGrid.GroupSize, GpuElements.Of(signature.Output.DType)),
        call =>
        {
            var (x, cos, sin, y) = (call.Inputs[0], call.Inputs[1], call.Inputs[2], call.Output);
            var grid = ElementGrid.Of(y.Rows, y.Width / 2);
            var views = new GpuArguments().View("x", x).View("cos", cos).View("sin", sin).View("y", y);
            (string, Tensor)[] pitches = [("xPitch", x), ("cosPitch", cos), ("sinPitch", sin), ("yPitch", y)];
            return (grid.Groups, grid.Arguments(views, pitches, widthName: "pairs")
                .Int("tokens", y.Shape[1]).Int("headWidth", y.Width / ((RotaryEmbedding)call.Op).Heads));
        }));

    internal static void Kernel<T, E>(
        ArrayView<T> x, ArrayView<float> cos, ArrayView<float> sin, ArrayView<T> y, int rows, int pairs, int shift, int columnBlocks,
        int xPitch, int cosPitch, int sinPitch, int yPitch, int tokens, int headWidth) where T : unmanaged where E : struct, IElement<T>
    {
        int row = Lane.Row(shift, columnBlocks), pair = Lane.Column(shift, columnBlocks);
        if (row >= rows || pair >= pairs) return;
        int token = row % tokens, column = 2 * pair, c = token * cosPitch + column % headWidth, s = token * sinPitch + column % headWidth,
            from = row * xPitch + column, to = row * yPitch + column;
        float a = E.Widen(x[from]), b = E.Widen(x[from + 1]);
        y[to] = E.Narrow(DeviceMath.Fma(-b, sin[s], a * cos[c]));
        y[to + 1] = E.Narrow(DeviceMath.Fma(a, sin[s + 1], b * cos[c + 1]));
    }
}
