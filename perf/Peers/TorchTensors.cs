using System.Runtime.InteropServices;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;
using HostTensor = ILGpuDiffusion.Compute.Tensors.Tensor;

namespace ILGpuDiffusion.Peers;

/// <summary>
/// Converts our tensors to libtorch's and back. Images are [n, h, w, c] here and [n, c, h, w] there, with either layout in memory.
/// </summary>
internal static class TorchTensors
{
    /// <summary>Numbers in row-major order as an activation: an image if there are four sizes.</summary>
    public static Tensor Activation(ReadOnlySpan<float> values, Shape shape, bool channelsLast)
    {
        var plain = Filled(values, shape);
        return shape.Rank == 4 ? InLayout(plain.permute(0, 3, 1, 2), channelsLast) : plain;
    }

    /// <summary>
    /// Numbers in row-major order as a weight. Kernels of convolutions have their images' layout, so that no call has to reorder them.
    /// </summary>
    public static Tensor Weight(ReadOnlySpan<float> values, Shape shape, bool channelsLast)
    {
        var plain = Filled(values, shape);
        return shape.Rank == 4 && channelsLast ? Permuted(plain, [0, 2, 3, 1], [0, 3, 1, 2]) : plain;
    }

    /// <summary>A case's arguments in float32: the first is an activation, of attention all are, the others are weights.</summary>
    public static Tensor[] Arguments(OpCase @case, bool channelsLast) =>
        [.. @case.Inputs.Select((argument, i) =>
            Argument([.. argument.Reference().Values.Select(v => (float)v)], argument.Shape,
                i > 0 && @case.Op is not ScaledDotProductAttention, channelsLast))];

    private static Tensor Argument(float[] values, Shape shape, bool isWeight, bool channelsLast) =>
        isWeight ? Weight(values, shape, channelsLast) : Activation(values, shape, channelsLast);

    /// <summary>A result in our order.</summary>
    public static float[] Values(Tensor result)
    {
        using var ordered = (result.dim() == 4 ? result.permute(0, 2, 3, 1) : result).contiguous();
        return MemoryMarshal.Cast<byte, float>(ordered.bytes).ToArray();
    }

    /// <summary>A model's weight, widened to float32.</summary>
    public static Tensor Widened(HostTensor tensor, bool channelsLast)
    {
        if (tensor.DType == DType.Float32) return Weight(tensor.Span<float>(), tensor.Shape, channelsLast);
        var result = empty(Sizes(tensor.Shape));
        var target = MemoryMarshal.Cast<byte, float>(result.bytes);
        var source = tensor.Span<ushort>();
        bool brain = tensor.DType == DType.BFloat16;
        for (int i = 0; i < target.Length; i++)
            target[i] = brain ? BitConverter.UInt32BitsToSingle((uint)source[i] << 16) : (float)BitConverter.UInt16BitsToHalf(source[i]);
        if (tensor.Shape.Rank != 4 || !channelsLast) return result;
        using (result) return Permuted(result, [0, 2, 3, 1], [0, 3, 1, 2]);
    }

    private static Tensor InLayout(Tensor image, bool channelsLast) => channelsLast ? image : image.contiguous();

    private static Tensor Permuted(Tensor tensor, long[] there, long[] back) => tensor.permute(there).contiguous().permute(back);

    private static Tensor Filled(ReadOnlySpan<float> values, Shape shape)
    {
        var result = empty(Sizes(shape));
        values.CopyTo(MemoryMarshal.Cast<byte, float>(result.bytes));
        return result;
    }

    private static long[] Sizes(Shape shape) => [.. shape.Sizes.ToArray().Select(s => (long)s)];
}
