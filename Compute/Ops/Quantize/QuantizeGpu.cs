using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One group per row: its largest magnitude, then, if requested, its integers.</summary>
internal static class QuantizeGpu
{
    /// <summary>Integers as int8.</summary>
    public static KernelVariant Variant { get; } =
        RowKernel.Variant(typeof(QuantizeGpu), nameof(Kernel), s => [s.Inputs[0].DType], Arguments);

    /// <summary>Scales alone.</summary>
    public static KernelVariant ScaleVariant { get; } =
        RowKernel.Variant(typeof(QuantizeGpu), nameof(ScaleKernel), s => [s.Inputs[0].DType], Arguments);

    /// <summary>Integers as floats, and scales, into a GEMM's scratch memory.</summary>
    public static LaunchSpecification ToFloats(GpuTarget target, Tensor x, Tensor integers, Tensor scales) =>
        Into(target, nameof(FloatKernel), x, integers, scales);

    /// <summary>
    /// Integers as int8, four per word, with rows zero-padded to the width of <paramref name="words"/> [rows, n] Int32; and scales.
    /// </summary>
    public static LaunchSpecification ToWords(GpuTarget target, Tensor x, Tensor words, Tensor scales)
    {
        var stage = Into(target, nameof(WordKernel), x, words, scales);
        stage.Arguments.Int("wordsPerRow", words.Width);
        return stage;
    }

    private static LaunchSpecification Into(GpuTarget target, string kernel, Tensor x, Tensor integers, Tensor scales)
    {
        var lanes = GroupLanes.Of(target);
        return new(
            KernelSource.Of(typeof(QuantizeGpu), kernel, lanes.Count, [lanes.Type, .. GpuElements.Of(x.DType)]), new GpuGrid(x.Rows),
            new GpuArguments().View("x", ElementGrid.Indexed(x)).View("integers", integers).View("scales", scales)
                .Int("width", x.Width).Int("xPitch", x.RowPitch));
    }

    internal static void Kernel<TLanes, T, E>(ArrayView<T> x, ArrayView<sbyte> y, int width, int xPitch, int yPitch)
        where TLanes : struct, IGroupLanes where T : unmanaged where E : struct, IElement<T>
    {
        float scale = Scale<TLanes, T, E>(x, width, xPitch);
        for (int i = Group.IdxX; i < width; i += TLanes.Count)
            y[Grid.IdxX * yPitch + i] = (sbyte)(int)Rounded(E.Widen(x[Grid.IdxX * xPitch + i]), scale);
    }

    internal static void ScaleKernel<TLanes, T, E>(ArrayView<T> x, ArrayView<float> y, int width, int xPitch, int yPitch)
        where TLanes : struct, IGroupLanes where T : unmanaged where E : struct, IElement<T>
    {
        float scale = Scale<TLanes, T, E>(x, width, xPitch);
        if (Group.IdxX == 0) y[Grid.IdxX * yPitch] = scale;
    }

    internal static void FloatKernel<TLanes, T, E>(ArrayView<T> x, ArrayView<float> integers, ArrayView<float> scales, int width,
        int xPitch)
        where TLanes : struct, IGroupLanes where T : unmanaged where E : struct, IElement<T>
    {
        float scale = Scale<TLanes, T, E>(x, width, xPitch);
        if (Group.IdxX == 0) scales[Grid.IdxX] = scale;
        for (int i = Group.IdxX; i < width; i += TLanes.Count)
            integers[Grid.IdxX * width + i] = Rounded(E.Widen(x[Grid.IdxX * xPitch + i]), scale);
    }

    internal static void WordKernel<TLanes, T, E>(ArrayView<T> x, ArrayView<int> integers, ArrayView<float> scales, int width, int xPitch,
        int wordsPerRow)
        where TLanes : struct, IGroupLanes where T : unmanaged where E : struct, IElement<T>
    {
        float scale = Scale<TLanes, T, E>(x, width, xPitch);
        if (Group.IdxX == 0) scales[Grid.IdxX] = scale;
        for (int i = Group.IdxX; i < wordsPerRow; i += TLanes.Count)
        {
            int word = 0;
            for (int b = 0; b < 4; b++)
            {
                int k = 4 * i + b;
                if (k < width) word |= ((int)Rounded(E.Widen(x[Grid.IdxX * xPitch + k]), scale) & 0xFF) << (8 * b);
            }

            integers[Grid.IdxX * wordsPerRow + i] = word;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Scale<TLanes, T, E>(ArrayView<T> x, int width, int xPitch) where TLanes : struct, IGroupLanes where T : unmanaged
        where E : struct, IElement<T>
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        float max = 0f;
        for (int i = Group.IdxX; i < width; i += TLanes.Count)
        {
            float value = E.Widen(x[Grid.IdxX * xPitch + i]), magnitude = value < 0f ? -value : value;
            max = magnitude > max ? magnitude : max;
        }

        float scale = Reduction.Max<TLanes>(max, shared) / 127f;
        return scale == 0f ? 1f : scale;
    }

    // A true division: multiplying by the reciprocal would round some ties the other way.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Rounded(float value, float scale)
    {
        float integer = DeviceMath.Round(value / scale);
        return integer > 127f ? 127f : integer < -127f ? -127f : integer;
    }

    private static GpuArguments Arguments(OpCall call)
    {
        var (x, y) = (ElementGrid.Indexed(call.Inputs[0]), ElementGrid.Indexed(call.Output));
        return new GpuArguments().View("x", x).View("y", y).Int("width", x.Width).Int("xPitch", x.RowPitch).Int("yPitch", y.RowPitch);
    }
}
