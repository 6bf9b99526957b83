using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One element of a per work item; b's row is computed from a's with at most three levels of repetition.</summary>
internal static class BinaryGpu
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const int Levels = 3;

    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/map", Compile) with
    {
        SupportsShape = static s => new Broadcast(s.Inputs[0].Concrete(), s.Inputs[1].Concrete()).Levels().Count <= Levels,
    };

    private static GpuKernel Compile(OpSignature signature)
    {
        Type function = ((Binary)signature.Op).Function switch
        {
            BinaryFunction.Add => typeof(Sum),
            BinaryFunction.Subtract => typeof(Difference),
            BinaryFunction.Multiply => typeof(Product),
            BinaryFunction.Divide => typeof(Quotient),
            var unknown => throw new DeviceException($"binary: no kernel for {unknown}."),
        };
        return new GpuKernel(call => [Stage(call, function)]);
    }

    private static LaunchSpecification Stage(OpCall call, Type function)
    {
        var (a, b, y) = (call.Inputs[0], call.Inputs[1], call.Output);
        bool same = b.Shape == a.Shape, single = b.Shape.Count == 1;
        int step = (b.Width == 1 && a.Width > 1) || single ? 0 : 1;
        var elements = same ? ElementGrid.Of(a, b, y) : single ? ElementGrid.Of(a, y) : ElementGrid.Of(a.Rows, a.Width);
        var (grid, access) = elements.Widened(call, a, step == 0 ? null : b, y);
        var arguments = grid.Arguments(new GpuArguments().View("a", a).View("b", b).View("y", y), [("aPitch", a), ("yPitch", y)])
            .Int("bPitch", ElementGrid.Indexed(b).RowPitch).Int("bStep", step);
        var levels = single ? [] : new Broadcast(a.Shape, b.Shape).Levels();
        for (int i = 0; i < Levels; i++)
        {
            (int size, int stride) = i < levels.Count ? levels[i] : (1, 0);
            arguments.Int("size", size, number: i).Int("stride", stride, number: i);
        }

        return new(KernelSource.Of(typeof(BinaryGpu), nameof(Kernel), ElementGrid.GroupSize,
            [.. GpuElements.Of(y.DType), function, access]), grid.Groups, arguments);
    }

    internal static void Kernel<T, E, TFunction, TAccess>(
        ArrayView<T> a, ArrayView<T> b, ArrayView<T> y, int rows, int width, int shift, int columnBlocks, int aPitch, int yPitch,
            int bPitch, int bStep,
        int size0, int stride0, int size1, int stride1, int size2, int stride2)
        where T : unmanaged where E : struct, IElement<T> where TFunction : struct, IFunction where TAccess : struct, IAccess
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int outer = row / size0, bRow = (row - outer * size0) * stride0;
        bRow += outer % size1 * stride1 + outer / size1 % size2 * stride2;
        if (TAccess.Wide)
        {
            Float4 left = E.Widen4(E.Fetch4(a, row * aPitch + 4 * column)), right = default;
            if (bStep != 0) right = E.Widen4(E.Fetch4(b, bRow * bPitch + 4 * column));
            else right.X = right.Y = right.Z = right.W = E.Widen(b[bRow * bPitch]);
            E.Store4(y, row * yPitch + 4 * column,
                new(TFunction.Apply(left.X, right.X), TFunction.Apply(left.Y, right.Y), TFunction.Apply(left.Z, right.Z),
                    TFunction.Apply(left.W, right.W)));
            return;
        }

        y[row * yPitch + column] = E.Narrow(TFunction.Apply(E.Widen(a[row * aPitch + column]), E.Widen(b[bRow * bPitch + column * bStep])));
    }

    internal interface IFunction
    {
        static abstract float Apply(float a, float b);
    }

    private readonly struct Sum : IFunction { [MethodImpl(Inline)] public static float Apply(float a, float b) => a + b; }

    private readonly struct Difference : IFunction { [MethodImpl(Inline)] public static float Apply(float a, float b) => a - b; }

    private readonly struct Product : IFunction { [MethodImpl(Inline)] public static float Apply(float a, float b) => a * b; }

    private readonly struct Quotient : IFunction { [MethodImpl(Inline)] public static float Apply(float a, float b) => a / b; }
}
