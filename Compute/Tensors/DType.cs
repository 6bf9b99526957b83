namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>Storage type of a tensor's elements. Arithmetic accumulates in float32 (int32 for int8) for all of them.</summary>
public enum DType
{
    /// <summary>IEEE 754 binary32.</summary>
    Float32,

    /// <summary>IEEE 754 binary16.</summary>
    Float16,

    /// <summary>The upper half of a binary32: 8 exponent bits, 7 fraction bits.</summary>
    BFloat16,

    /// <summary>Signed 8-bit integer.</summary>
    Int8,

    /// <summary>Signed 32-bit integer.</summary>
    Int32,

    /// <summary>Signed 64-bit integer.</summary>
    Int64,
}

/// <summary>Properties of element types.</summary>
public static class DTypeExtensions
{
    /// <summary>Size of one element in bytes.</summary>
    public static int Size(this DType dtype) => dtype switch
    {
        DType.Int8 => 1,
        DType.Float16 or DType.BFloat16 => 2,
        DType.Float32 or DType.Int32 => 4,
        DType.Int64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not an element type."),
    };

    /// <summary>True for the three floating-point types.</summary>
    public static bool IsFloat(this DType dtype) => dtype is DType.Float32 or DType.Float16 or DType.BFloat16;
}
