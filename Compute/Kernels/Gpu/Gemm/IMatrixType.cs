using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Which matrix instruction a kernel uses: a type argument.</summary>
internal interface IMatrixType
{
    /// <summary>sums + a · bᵀ, 16 rows by 8 columns of a warp.</summary>
    static abstract Float4 MultiplyAdd(Float4 sums, Word4 a, uint b0, uint b1);

    /// <summary>sums + a · bᵀ of a sub-group, as its <see cref="IMatrixLayout"/> says.</summary>
    static abstract Float8 MultiplyAdd(Float8 sums, Word8 a, Word8 b);

    /// <summary>Whether two numbers of the type, one being what the other leaves over, hold less than a float32 needs.</summary>
    static abstract bool IsCoarse { get; }
}

/// <summary>Operands in bfloat16.</summary>
internal readonly struct Bf16Matrix : IMatrixType
{
    public static bool IsCoarse => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(Float4 sums, Word4 a, uint b0, uint b1) => MatrixInstructions.MultiplyAddBf16(sums, a, new Word2 { X = b0, Y = b1 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 MultiplyAdd(Float8 sums, Word8 a, Word8 b) => SubGroupMatrix.MultiplyAddBf16(sums, a, b);
}

/// <summary>Operands in 16-bit floats.</summary>
internal readonly struct Fp16Matrix : IMatrixType
{
    public static bool IsCoarse => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(Float4 sums, Word4 a, uint b0, uint b1) => MatrixInstructions.MultiplyAddFp16(sums, a, new Word2 { X = b0, Y = b1 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 MultiplyAdd(Float8 sums, Word8 a, Word8 b) => SubGroupMatrix.MultiplyAddFp16(sums, a, b);
}

/// <summary>Operands in bytes, two to what is an element elsewhere; sums are the bits of int32.</summary>
internal readonly struct Int8Matrix : IMatrixType
{
    public static bool IsCoarse => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(Float4 sums, Word4 a, uint b0, uint b1) => MatrixInstructions.MultiplyAddInt8(sums, a, new Word2 { X = b0, Y = b1 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 MultiplyAdd(Float8 sums, Word8 a, Word8 b) => SubGroupMatrix.MultiplyAddInt8(sums, a, b);
}
