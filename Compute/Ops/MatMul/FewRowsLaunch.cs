using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// y = x·wᵀ + bias for few rows, such as a timestep embedding: dot products with the weights as they are stored. Packing them would cost
/// more than the GEMM; the time is that of reading them once.
/// </summary>
internal sealed unsafe class FewRowsLaunch<V, TStored> : CpuLaunch
    where V : struct, ISimd<V>
    where TStored : struct, IStoredFloat
{
    private const int ColumnsPerPart = 64, RowsAtATime = 8; // so many rows stay in the L1 cache while the part's weights are read
    private readonly Tensor x, w, y;
    private readonly Tensor? bias, scale;

    /// <summary>Binds the operands.</summary>
    /// <param name="call">x, w and bias.</param>
    /// <param name="scale">Factor of each dot product, before the bias is added, [n] Float32; null for none.</param>
    public FewRowsLaunch(OpCall call, Tensor? scale = null) : base(call) => (x, w, bias, y, this.scale) =
        (call.Inputs[0], call.Inputs[1], call.Inputs.Length > 2 ? call.Inputs[2] : null, call.Output, scale);

    public override void Run()
    {
        if (x.Rows > 0) Parallel(IntegerMath.CeilDiv(y.Width, ColumnsPerPart));
    }

    [SkipLocalsInit]
    public override void Execute(int part, int worker)
    {
        float* biases = stackalloc float[ColumnsPerPart], factors = stackalloc float[ColumnsPerPart];
        int first = part * ColumnsPerPart, count = Math.Min(ColumnsPerPart, y.Width - first);
        new Span<float>(biases, count).Clear();
        if (bias is not null) Packer.For(bias.DType).Widen(bias.Pointer<byte>() + (nint)first * bias.DType.Size(), biases, count);
        if (scale is null) new Span<float>(factors, count).Fill(1); // which changes no bit
        else new ReadOnlySpan<float>(scale.Pointer<float>() + first, count).CopyTo(new Span<float>(factors, count));
        nint rowBytes = (nint)x.Width * TStored.Size;
        for (int firstRow = 0; firstRow < x.Rows; firstRow += RowsAtATime)
        {
            for (int column = 0; column < count; column += 4)
            {
                byte* weights = w.Pointer<byte>() + (first + column) * rowBytes;
                int columns = Math.Min(4, count - column);
                for (int row = firstRow; row < Math.Min(firstRow + RowsAtATime, x.Rows); row++)
                {
                    float* source = x.Pointer<float>() + (nint)row * x.RowPitch,
                        target = y.Pointer<float>() + (nint)row * y.RowPitch + first + column;
                    if (columns == 4) FourColumns(source, weights, rowBytes, x.Width, factors + column, biases + column, target);
                    else for (int i = 0; i < columns; i++)
                        target[i] = OneColumn(source, weights + i * rowBytes, x.Width) * factors[column + i] + biases[column + i];
                }
            }
        }
    }

    // Two sums per column: eight chains of multiply-adds hide their latency.
    [MethodImpl(Jit.Kernel)]
    private static void FourColumns(float* x, byte* w, nint rowBytes, int depth, float* factor, float* bias, float* y)
    {
        V a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        byte* w1 = w + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        int k = 0, second = V.Count * TStored.Size;
        for (; k <= depth - 2 * V.Count; k += 2 * V.Count)
        {
            V left = V.Load(x + k), right = V.Load(x + k + V.Count);
            nint at = (nint)k * TStored.Size;
            a0 = V.MultiplyAdd(left, TStored.Load<V>(w + at), a0);
            a1 = V.MultiplyAdd(right, TStored.Load<V>(w + at + second), a1);
            b0 = V.MultiplyAdd(left, TStored.Load<V>(w1 + at), b0);
            b1 = V.MultiplyAdd(right, TStored.Load<V>(w1 + at + second), b1);
            c0 = V.MultiplyAdd(left, TStored.Load<V>(w2 + at), c0);
            c1 = V.MultiplyAdd(right, TStored.Load<V>(w2 + at + second), c1);
            d0 = V.MultiplyAdd(left, TStored.Load<V>(w3 + at), d0);
            d1 = V.MultiplyAdd(right, TStored.Load<V>(w3 + at + second), d1);
        }

        float a = V.Sum(a0 + a1), b = V.Sum(b0 + b1), c = V.Sum(c0 + c1), d = V.Sum(d0 + d1);
        for (; k < depth; k++)
        {
            nint at = (nint)k * TStored.Size;
            a += x[k] * TStored.Read(w + at);
            b += x[k] * TStored.Read(w1 + at);
            c += x[k] * TStored.Read(w2 + at);
            d += x[k] * TStored.Read(w3 + at);
        }

        (y[0], y[1], y[2], y[3]) = (a * factor[0] + bias[0], b * factor[1] + bias[1], c * factor[2] + bias[2], d * factor[3] + bias[3]);
    }

    [MethodImpl(Jit.Kernel)]
    private static float OneColumn(float* x, byte* w, int depth)
    {
        V sums = default;
        int k = 0;
        for (; k <= depth - V.Count; k += V.Count) sums = V.MultiplyAdd(V.Load(x + k), TStored.Load<V>(w + (nint)k * TStored.Size), sums);
        float sum = V.Sum(sums);
        for (; k < depth; k++) sum += x[k] * TStored.Read(w + (nint)k * TStored.Size);
        return sum;
    }
}
