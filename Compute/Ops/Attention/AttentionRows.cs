using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using static ILGpuDiffusion.Compute.Ops.AttentionMath;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// A warp's 16 rows by 64 columns in registers: logits, weights, or results. X and Y of each matrix are in the lane's upper row, Z and W in
/// its lower.
/// </summary>
internal struct AttentionRows
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public MatrixRow Low, High;

    /// <summary>Multiplies each row by its factor.</summary>
    [MethodImpl(Inline)]
    public readonly AttentionRows Scaled(float top, float bottom) =>
        new() { Low = Scaled(Low, top, bottom), High = Scaled(High, top, bottom) };

    /// <summary>Adds the mask; keys from <paramref name="key"/> on, two of each eight.</summary>
    [MethodImpl(Inline)]
    public readonly AttentionRows Masked(ArrayView<float> mask, int top, int bottom, int key, int keys) =>
        new() { Low = Masked(Low, mask, top, bottom, key, keys), High = Masked(High, mask, top, bottom, key + 32, keys) };

    /// <summary>Sets keys past the last one of each row to −∞.</summary>
    [MethodImpl(Inline)]
    public readonly AttentionRows Hidden(int key, int lastTop, int lastBottom) =>
        new() { Low = Hidden(Low, key, lastTop, lastBottom), High = Hidden(High, key + 32, lastTop, lastBottom) };

    /// <summary>Maximum of the lane's part of the upper row and <paramref name="least"/>.</summary>
    [MethodImpl(Inline)]
    public readonly float LargestTop(float least) => LargestTop(High, LargestTop(Low, least));

    /// <summary>Maximum of the lane's part of the lower row and <paramref name="least"/>.</summary>
    [MethodImpl(Inline)]
    public readonly float LargestBottom(float least) => LargestBottom(High, LargestBottom(Low, least));

    /// <summary>exp(x − maximum of the row) for each element.</summary>
    [MethodImpl(Inline)]
    public readonly AttentionRows Weights(float top, float bottom) =>
        new() { Low = Weights(Low, top, bottom), High = Weights(High, top, bottom) };

    /// <summary>Σ of the lane's part of the upper row.</summary>
    [MethodImpl(Inline)]
    public readonly float SumTop() => SumTop(Low) + SumTop(High);

    /// <summary>Σ of the lane's part of the lower row.</summary>
    [MethodImpl(Inline)]
    public readonly float SumBottom() => SumBottom(Low) + SumBottom(High);

    [MethodImpl(Inline)]
    private static MatrixRow Scaled(MatrixRow row, float top, float bottom) =>
        new()
        {
            C0 = Scaled(row.C0, top, bottom),
            C1 = Scaled(row.C1, top, bottom),
            C2 = Scaled(row.C2, top, bottom),
            C3 = Scaled(row.C3, top, bottom)
        };

    [MethodImpl(Inline)]
    private static Float4 Scaled(Float4 c, float top, float bottom) => new(c.X * top, c.Y * top, c.Z * bottom, c.W * bottom);

    [MethodImpl(Inline)]
    private static MatrixRow Masked(MatrixRow row, ArrayView<float> mask, int top, int bottom, int key, int keys) => new()
    {
        C0 = Masked(row.C0, mask, top, bottom, key, keys),
        C1 = Masked(row.C1, mask, top, bottom, key + 8, keys),
        C2 = Masked(row.C2, mask, top, bottom, key + 16, keys),
        C3 = Masked(row.C3, mask, top, bottom, key + 24, keys),
    };

    // Keys past the last one are masked anyway.
    [MethodImpl(Inline)]
    private static Float4 Masked(Float4 c, ArrayView<float> mask, int top, int bottom, int key, int keys)
    {
        int first = key < keys ? key : 0, second = key + 1 < keys ? key + 1 : 0;
        return new(c.X + mask[top + first], c.Y + mask[top + second], c.Z + mask[bottom + first], c.W + mask[bottom + second]);
    }

    [MethodImpl(Inline)]
    private static MatrixRow Hidden(MatrixRow row, int key, int lastTop, int lastBottom) => new()
    {
        C0 = Hidden(row.C0, key, lastTop, lastBottom),
        C1 = Hidden(row.C1, key + 8, lastTop, lastBottom),
        C2 = Hidden(row.C2, key + 16, lastTop, lastBottom),
        C3 = Hidden(row.C3, key + 24, lastTop, lastBottom),
    };

    [MethodImpl(Inline)]
    private static Float4 Hidden(Float4 c, int key, int lastTop, int lastBottom)
    {
        float nothing = Interop.IntAsFloat(0xFF800000u); // −∞
        return new(key <= lastTop ? c.X : nothing, key + 1 <= lastTop ? c.Y : nothing, key <= lastBottom ? c.Z : nothing,
            key + 1 <= lastBottom ? c.W : nothing);
    }

    [MethodImpl(Inline)]
    private static float LargestTop(MatrixRow row, float least) =>
        Larger(Larger(Larger(row.C0.X, row.C0.Y), Larger(row.C1.X, row.C1.Y)),
            Larger(Larger(Larger(row.C2.X, row.C2.Y), Larger(row.C3.X, row.C3.Y)), least));

    [MethodImpl(Inline)]
    private static float LargestBottom(MatrixRow row, float least) =>
        Larger(Larger(Larger(row.C0.Z, row.C0.W), Larger(row.C1.Z, row.C1.W)),
            Larger(Larger(Larger(row.C2.Z, row.C2.W), Larger(row.C3.Z, row.C3.W)), least));

    [MethodImpl(Inline)]
    private static MatrixRow Weights(MatrixRow row, float top, float bottom) =>
        new()
        {
            C0 = Weights(row.C0, top, bottom),
            C1 = Weights(row.C1, top, bottom),
            C2 = Weights(row.C2, top, bottom),
            C3 = Weights(row.C3, top, bottom)
        };

    [MethodImpl(Inline)]
    private static Float4 Weights(Float4 c, float top, float bottom) =>
        new(DeviceMath.Exp2((c.X - top) * Log2E), DeviceMath.Exp2((c.Y - top) * Log2E), DeviceMath.Exp2((c.Z - bottom) * Log2E),
            DeviceMath.Exp2((c.W - bottom) * Log2E));

    [MethodImpl(Inline)]
    private static float SumTop(MatrixRow row) =>
        row.C0.X + row.C0.Y + (row.C1.X + row.C1.Y) + (row.C2.X + row.C2.Y + (row.C3.X + row.C3.Y));

    [MethodImpl(Inline)]
    private static float SumBottom(MatrixRow row) =>
        row.C0.Z + row.C0.W + (row.C1.Z + row.C1.W) + (row.C2.Z + row.C2.W + (row.C3.Z + row.C3.W));
}
