using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Up to four arguments per launch; further ones are added to the result by the next. y may be the first argument.</summary>
internal static class LinearCombinationGpu
{
    private const int AtOnce = 4;

    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", static signature =>
    {
        var source = KernelSource.Of(typeof(LinearCombinationGpu), nameof(Kernel), ElementGrid.GroupSize);
        return new GpuKernel(call =>
            Enumerable.Range(0, IntegerMath.CeilDiv(call.Inputs.Length - 1, AtOnce)).Select(i => Stage(source, call, i * AtOnce)));
    });

    private static LaunchSpecification Stage(KernelSource source, OpCall call, int first)
    {
        var (terms, coefficients, y) = (call.Inputs[first..Math.Min(first + AtOnce, call.Inputs.Length - 1)], call.Inputs[^1], call.Output);
        var grid = ElementGrid.Of([.. terms, y]);
        // those beyond the count are not read
        Tensor[] four = [.. Enumerable.Range(0, AtOnce).Select(i => i < terms.Length ? terms[i] : terms[0])];
        var arguments = new GpuArguments();
        for (int i = 0; i < AtOnce; i++) arguments.View("x", four[i], number: i);
        (string, Tensor)[] pitches = [("pitch0", four[0]), ("pitch1", four[1]), ("pitch2", four[2]), ("pitch3", four[3]), ("yPitch", y)];
        return new(source, grid.Groups, grid.Arguments(arguments.View("coefficients", coefficients).View("y", y), pitches)
            .Int("first", first).Int("count", terms.Length));
    }

    internal static void Kernel(
        ArrayView<float> x0, ArrayView<float> x1, ArrayView<float> x2, ArrayView<float> x3, ArrayView<float> coefficients,
            ArrayView<float> y,
        int rows, int width, int shift, int columnBlocks, int pitch0, int pitch1, int pitch2, int pitch3, int yPitch, int first, int count)
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int at = row * yPitch + column;
        float value = x0[row * pitch0 + column], sum = coefficients[first] * value;
        if (first > 0) sum = DeviceMath.Fma(coefficients[first], value, y[at]);
        if (count > 1) sum = DeviceMath.Fma(coefficients[first + 1], x1[row * pitch1 + column], sum);
        if (count > 2) sum = DeviceMath.Fma(coefficients[first + 2], x2[row * pitch2 + column], sum);
        if (count > 3) sum = DeviceMath.Fma(coefficients[first + 3], x3[row * pitch3 + column], sum);
        y[at] = sum;
    }
}
