using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Element types as type arguments of kernels.</summary>
internal static class GpuElements
{
    /// <summary>Storage type and arithmetic of each element type: <c>ushort, Bf16</c>.</summary>
    public static Type[] Of(params ReadOnlySpan<DType> dtypes)
    {
        var arguments = new Type[2 * dtypes.Length];
        for (int i = 0; i < dtypes.Length; i++) (arguments[2 * i], arguments[2 * i + 1]) = Pair(dtypes[i]);
        return arguments;
    }

    /// <summary>An unsigned type of an element's size, for kernels that only copy.</summary>
    public static Type Bits(DType dtype) => dtype.Size() switch
    {
        1 => typeof(sbyte),
        2 => typeof(ushort),
        4 => typeof(uint),
        _ => typeof(long),
    };

    private static (Type Stored, Type Element) Pair(DType dtype) => dtype switch
    {
        DType.Float32 => (typeof(float), typeof(Fp32)),
        DType.Float16 => (typeof(ushort), typeof(Fp16)),
        DType.BFloat16 => (typeof(ushort), typeof(Bf16)),
        DType.Int8 => (typeof(sbyte), typeof(Int8)),
        _ => throw new DeviceException($"No kernel computes with {dtype}."),
    };
}
