using ILGPU;

namespace ILGpuDiffusion.Compute;

/// <summary>The kernel of all functions of one element: y = f(x; a, b), read as float32 and rounded once. y may be x.</summary>
internal static class MapGpu
{
    /// <summary>The kernel for a function.</summary>
    /// <param name="signature">Gives the element types.</param>
    /// <param name="function">A struct that implements <see cref="IElementFunction"/>.</param>
    /// <param name="a">The function's first number.</param>
    /// <param name="b">The function's second number.</param>
    public static GpuKernel Of(OpSignature signature, Type function, double a = 0, double b = 0)
    {
        var source = KernelSource.Of(typeof(MapGpu), nameof(Kernel), ElementGrid.GroupSize, [.. GpuElements.Of(signature.Inputs[0].DType, signature.Output.DType), function]);
        return new GpuKernel(source, call =>
        {
            var (x, y) = (call.Inputs[0], call.Output);
            var grid = ElementGrid.Of(x, y);
            return (grid.Groups, grid.Arguments(new GpuArguments().View(x).View(y), x, y).Float((float)a).Float((float)b));
        });
    }

    internal static void Kernel<TX, EX, TY, EY, TFunction>(ArrayView<TX> x, ArrayView<TY> y, int rows, int width, int shift, int columnBlocks, int xPitch, int yPitch, float a, float b)
        where TX : unmanaged where EX : struct, IElement<TX> where TY : unmanaged where EY : struct, IElement<TY> where TFunction : struct, IElementFunction
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row < rows && column < width) y[row * yPitch + column] = EY.Narrow(TFunction.Apply(EX.Widen(x[row * xPitch + column]), a, b));
    }
}
