using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Matrix instructions of a sub-group (CUDA: warp, from sm_80 on): sums of a few rows by a few columns with a K of sixteen 16-bit elements.
/// The part of the operands that a register holds depends on the device: <see cref="IMatrixLayout"/>. On CUDA, two adjacent
/// <see cref="MatrixInstructions"/>.
/// </summary>
internal static class SubGroupMatrix
{
    private const string Bf16 = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32",
        Fp16 = "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32";
    private const string Left = " {$0, $1, $2, $3}, {$16, $17, $18, $19}, {$24, $25}, {$8, $9, $10, $11}; ",
        Right = " {$4, $5, $6, $7}, {$16, $17, $18, $19}, {$26, $27}, {$12, $13, $14, $15};";

    private const string NoBytes = "trap;"; // MatrixInstructions has them

    /// <summary>sums + a · bᵀ of bfloat16.</summary>
    [IntrinsicImplementation, DeviceCode(Bf16 + Left + Bf16 + Right, "ilgd_matrix_bf16($0, $1, $2, $3)")]
    public static Float8 MultiplyAddBf16(Float8 sums, Word8 a, Word8 b) => throw OnDevices();

    /// <summary>sums + a · bᵀ of binary16.</summary>
    [IntrinsicImplementation, DeviceCode(Fp16 + Left + Fp16 + Right, "ilgd_matrix_fp16($0, $1, $2, $3)")]
    public static Float8 MultiplyAddFp16(Float8 sums, Word8 a, Word8 b) => throw OnDevices();

    /// <summary>
    /// sums + a · bᵀ of signed bytes, two to an element; sums are the bits of int32, in registers that hold floats elsewhere.
    /// </summary>
    [IntrinsicImplementation, DeviceCode(NoBytes, "ilgd_matrix_int8($0, $1, $2, $3)")]
    public static Float8 MultiplyAddInt8(Float8 sums, Word8 a, Word8 b) => throw OnDevices();

    private static NotSupportedException OnDevices() => new("Matrices are multiplied by whole sub-groups, on devices alone.");
}
