using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The operand type of CUDA's matrix instructions: a type argument of kernels.</summary>
internal interface IWarpMatrixType
{
    /// <summary>sums + a · bᵀ, 16 rows by 8 columns of a warp.</summary>
    static abstract Float4 MultiplyAdd(Float4 sums, Word4 a, uint b0, uint b1);

    /// <summary>Stored words as operands.</summary>
    static abstract Word4 Operand(Word4 stored);
}

/// <summary>The operand type of all devices' matrix instructions: a type argument of kernels.</summary>
internal interface IMatrixType : IWarpMatrixType
{
    /// <summary>sums + a · bᵀ of a sub-group, in its <see cref="IMatrixLayout"/>.</summary>
    static abstract Float8 MultiplyAdd(Float8 sums, Word8 a, Word8 b);

    /// <summary>Whether a hi/lo split into two numbers of this type has less precision than float32.</summary>
    static abstract bool IsCoarse { get; }
}

/// <summary>Operands in bfloat16.</summary>
internal readonly struct Bf16Matrix : IMatrixType
{
    public static bool IsCoarse => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(Float4 sums, Word4 a, uint b0, uint b1) =>
        MatrixInstructions.MultiplyAddBf16(sums, a, new Word2 { X = b0, Y = b1 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Word4 Operand(Word4 stored) => stored;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 MultiplyAdd(Float8 sums, Word8 a, Word8 b) => SubGroupMatrix.MultiplyAddBf16(sums, a, b);
}

/// <summary>Operands in binary16.</summary>
internal readonly struct Fp16Matrix : IMatrixType
{
    public static bool IsCoarse => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(Float4 sums, Word4 a, uint b0, uint b1) =>
        MatrixInstructions.MultiplyAddFp16(sums, a, new Word2 { X = b0, Y = b1 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Word4 Operand(Word4 stored) => stored;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 MultiplyAdd(Float8 sums, Word8 a, Word8 b) => SubGroupMatrix.MultiplyAddFp16(sums, a, b);
}

/// <summary>Operands in int8, two per 16-bit element; sums are the bits of int32.</summary>
internal readonly struct Int8Matrix : IMatrixType
{
    public static bool IsCoarse => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(Float4 sums, Word4 a, uint b0, uint b1) =>
        MatrixInstructions.MultiplyAddInt8(sums, a, new Word2 { X = b0, Y = b1 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Word4 Operand(Word4 stored) => stored;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 MultiplyAdd(Float8 sums, Word8 a, Word8 b) => SubGroupMatrix.MultiplyAddInt8(sums, a, b);
}

/// <summary>Operands in float32, rounded to TF32 when they are read; a word is one number.</summary>
internal readonly struct Tf32Matrix : IWarpMatrixType
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(Float4 sums, Word4 a, uint b0, uint b1) =>
        MatrixInstructions.MultiplyAddTf32(sums, a, new Word2 { X = b0, Y = b1 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Word4 Operand(Word4 stored) => MatrixInstructions.RoundTf32(stored);
}
