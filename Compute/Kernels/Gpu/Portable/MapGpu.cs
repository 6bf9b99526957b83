using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The kernel of elementwise functions: y = f(x; a, b), computed in float32 and rounded once. y may be x.</summary>
internal static class MapGpu
{
    /// <summary>The kernel for a function.</summary>
    /// <param name="signature">Gives the element types.</param>
    /// <param name="function">A struct that implements <see cref="IElementFunction"/>.</param>
    /// <param name="a">First parameter of the function.</param>
    /// <param name="b">Second parameter of the function.</param>
    public static GpuKernel Of(OpSignature signature, Type function, double a = 0, double b = 0)
    {
        Type[] elements = GpuElements.Of(signature.Inputs[0].DType, signature.Output.DType);
        return new GpuKernel(call =>
        {
            var (x, y) = (call.Inputs[0], call.Output);
            var (grid, access) = ElementGrid.Of(x, y).Widened(call, x, y);
            var source = KernelSource.Of(typeof(MapGpu), nameof(Kernel), ElementGrid.GroupSize, [.. elements, function, access]);
            var arguments = grid.Arguments(new GpuArguments().View("x", x).View("y", y), [("xPitch", x), ("yPitch", y)]);
            return [new(source, grid.Groups, arguments.Float("a", (float)a).Float("b", (float)b))];
        });
    }

    internal static void Kernel<TX, EX, TY, EY, TFunction, TAccess>(ArrayView<TX> x, ArrayView<TY> y, int rows, int width, int shift,
        int columnBlocks, int xPitch, int yPitch, float a, float b)
        where TX : unmanaged where EX : struct, IElement<TX> where TY : unmanaged where EY : struct, IElement<TY>
            where TFunction : struct, IElementFunction where TAccess : struct, IAccess
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        if (TAccess.Wide)
        {
            Float4 value = EX.Widen4(EX.Fetch4(x, row * xPitch + 4 * column));
            EY.Store4(y, row * yPitch + 4 * column,
                new(TFunction.Apply(value.X, a, b), TFunction.Apply(value.Y, a, b), TFunction.Apply(value.Z, a, b),
                    TFunction.Apply(value.W, a, b)));
            return;
        }

        y[row * yPitch + column] = EY.Narrow(TFunction.Apply(EX.Widen(x[row * xPitch + column]), a, b));
    }
}
