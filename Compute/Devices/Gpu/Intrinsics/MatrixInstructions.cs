using ILGPU.IR.Intrinsics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Tensor-core instructions of a warp: sums of 16 rows by 8 columns; from sm_80 on. With g = lane / 4 and t = lane % 4, and eight words
/// along K (two 16-bit floats each, four bytes, or a float32), register r of the left operand is row g + 8 · (r % 2), word
/// t + 4 · (r / 2); register r of the right one is column g, word t + 4 · r; sum i is row g + 8 · (i / 2), column 2 · t + i % 2.
/// </summary>
internal static class MatrixInstructions
{
    private const string Registers = " {$0, $1, $2, $3}, {$8, $9, $10, $11}, {$12, $13}, {$4, $5, $6, $7};";

    /// <summary>sums + a · bᵀ of bfloat16.</summary>
    [IntrinsicImplementation,
        DeviceCode("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" + Registers, "ilgd_mma_bf16($0, $1, $2, $3)")]
    public static Float4 MultiplyAddBf16(Float4 sums, Word4 a, Word2 b) => throw OnDevices();

    /// <summary>sums + a · bᵀ of binary16.</summary>
    [IntrinsicImplementation, DeviceCode("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32" + Registers, "ilgd_mma_fp16($0, $1, $2, $3)")]
    public static Float4 MultiplyAddFp16(Float4 sums, Word4 a, Word2 b) => throw OnDevices();

    /// <summary>sums + a · bᵀ of float32, of which the upper 19 bits count (<see cref="RoundTf32"/>).</summary>
    [IntrinsicImplementation,
        DeviceCode("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" + Registers, "ilgd_mma_tf32($0, $1, $2, $3)")]
    public static Float4 MultiplyAddTf32(Float4 sums, Word4 a, Word2 b) => throw OnDevices();

    /// <summary>The nearest TF32 numbers of four float32, ties away from zero.</summary>
    [IntrinsicImplementation]
    [DeviceCode("cvt.rna.tf32.f32 $0, $4; cvt.rna.tf32.f32 $1, $5; cvt.rna.tf32.f32 $2, $6; cvt.rna.tf32.f32 $3, $7;",
        "ilgd_round_tf32($0, $1)")]
    public static Word4 RoundTf32(Word4 numbers) => throw OnDevices();

    /// <summary>sums + a · bᵀ of signed bytes; sums are the bits of int32, in registers that hold floats elsewhere.</summary>
    [IntrinsicImplementation]
    [DeviceCode(
        "{ .reg .b32 sum0, sum1, sum2, sum3; mov.b32 sum0, $4; mov.b32 sum1, $5; mov.b32 sum2, $6; mov.b32 sum3, $7; "
        + "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {sum0, sum1, sum2, sum3}, {$8, $9, $10, $11}, {$12, $13}, {sum0, sum1, sum2, "
            + "sum3}; "
        + "mov.b32 $0, sum0; mov.b32 $1, sum1; mov.b32 $2, sum2; mov.b32 $3, sum3; }",
        "ilgd_mma_int8($0, $1, $2, $3)")]
    public static Float4 MultiplyAddInt8(Float4 sums, Word4 a, Word2 b) => throw OnDevices();

    /// <summary>
    /// Loads four matrices of 8 rows of 16 bytes from shared memory: lane i gives the address of row i % 8 of matrix i / 8, and receives
    /// word t of row g of each.
    /// </summary>
    [IntrinsicImplementation, DeviceCode("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {$0, $1, $2, $3}, [$4];", "ilgd_load_matrices($0, $1)")]
    public static Word4 Load(uint address) => throw OnDevices();

    /// <summary>
    /// As <see cref="Load"/>, with each matrix of 8 rows of eight 16-bit elements transposed: a lane receives element g of rows 2 · t (low
    /// half) and 2 · t + 1.
    /// </summary>
    [IntrinsicImplementation,
        DeviceCode("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {$0, $1, $2, $3}, [$4];", "ilgd_load_matrices_transposed($0, $1)")]
    public static Word4 LoadTransposed(uint address) => throw OnDevices();

    private static NotSupportedException OnDevices() => new("Matrices are multiplied by whole warps, on devices alone.");
}
