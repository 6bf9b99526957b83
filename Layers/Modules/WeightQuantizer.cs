using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Modules;

/// <summary>
/// Quantises matrices to int8 with a scale per row, with the ops that quantise activations: a few rows at a time, so that no widened copy
/// of a matrix exists.
/// </summary>
internal sealed class WeightQuantizer(CpuDevice device) : IDisposable
{
    private const int PieceElements = 1 << 21; // 8 MiB widened
    private DeviceBuffer? piece;

    /// <summary>
    /// round(w / scale) and scale = max|w| / 127 of each row of w [n, k] of any float type; their memory is added to
    /// <paramref name="memory"/>.
    /// </summary>
    public (Tensor Weight, Tensor Scale) Quantize(Tensor w, QuantizedWeights memory)
    {
        var (weight, scale) = (memory.Add(Allocate(DType.Int8, [w.Rows, w.Width])), memory.Add(Allocate(DType.Float32, [w.Rows, 1])));
        int rows = Math.Clamp(PieceElements / Math.Max(1, w.Width), 1, w.Rows);
        for (int row = 0; row < w.Rows; row += rows)
        {
            int count = Math.Min(rows, w.Rows - row);
            var wide = Widened(Rows(w, row, count));
            Run(new QuantizeScale(), wide, Rows(scale, row, count));
            Run(new Quantize(), wide, Rows(weight, row, count));
        }

        memory.Count(w);
        return (weight, scale.Reshape([w.Rows]));
    }

    /// <summary>A Float32 copy, whose memory is added to <paramref name="memory"/>.</summary>
    public Tensor Widen(Tensor vector, QuantizedWeights memory)
    {
        var wide = memory.Add(Allocate(DType.Float32, vector.Shape));
        Run(new Cast(DType.Float32), vector, wide);
        return wide;
    }

    public void Dispose() => piece?.Dispose();

    private Tensor Widened(Tensor rows)
    {
        if (rows.DType == DType.Float32) return rows;
        long bytes = rows.Shape.Count * sizeof(float);
        if (piece is null || piece.Bytes < bytes)
        {
            piece?.Dispose();
            piece = null; // no reference to freed memory remains if the allocation fails
            piece = device.Allocate(bytes);
        }

        var wide = new Tensor(piece, 0, DType.Float32, rows.Shape);
        Run(new Cast(DType.Float32), rows, wide);
        return wide;
    }

    private static Tensor Rows(Tensor matrix, int first, int count) =>
        new(matrix.Buffer, matrix.Offset + (long)first * matrix.Width * matrix.DType.Size(), matrix.DType, [count, matrix.Width]);

    private Tensor Allocate(DType dtype, Shape shape) => new(device.Allocate(shape.Count * dtype.Size()), 0, dtype, shape);

    private void Run(Op op, Tensor x, Tensor y) =>
        device.Kernels.Get(new OpSignature(op, [x.Type], y.Type)).Bind(new OpCall(device, op, [x], y)).Run();
}
