using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// The left operand of a GEMM: float32 rows that need not exist as a matrix. A row has <see cref="KernelPositions"/> runs of
/// <see cref="Channels"/> contiguous elements; a convolution's im2col row is read from the image in place.
/// </summary>
internal abstract unsafe class GemmRows
{
    /// <summary>Number of rows.</summary>
    public abstract int Count { get; }

    /// <summary>Runs per row; 1 for a plain matrix.</summary>
    public abstract int KernelPositions { get; }

    /// <summary>Elements per run.</summary>
    public abstract int Channels { get; }

    /// <summary>Start of a plain matrix, whose rows can be read in place; null if rows must be gathered.</summary>
    public virtual float* Start => null;

    /// <summary>Elements between rows that are read in place.</summary>
    public virtual nint Pitch => 0;

    /// <summary>Finds the start of one kernel position's run in consecutive rows.</summary>
    /// <param name="position">The kernel position.</param>
    /// <param name="first">First row.</param>
    /// <param name="count">Number of addresses to return; past the last row, the last row's address is repeated.</param>
    /// <param name="addresses">Receives the addresses.</param>
    public abstract void Find(int position, int first, int count, byte** addresses);

    /// <summary>
    /// Copies some channels of consecutive rows to a contiguous matrix [count, <see cref="KernelPositions"/> · channels] for the tile
    /// kernel.
    /// </summary>
    /// <param name="first">First row.</param>
    /// <param name="count">Number of rows; past the last row, the last row is repeated.</param>
    /// <param name="channel">First channel.</param>
    /// <param name="channels">Channels of each run.</param>
    /// <param name="target">Receives the matrix.</param>
    // The tile kernel could read transposed rows too, but transposing costs more than copying.
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public void Gather(int first, int count, int channel, int channels, float* target)
    {
        byte** addresses = stackalloc byte*[count];
        nint pitch = (nint)channels * KernelPositions;
        for (int position = 0; position < KernelPositions; position++, target += channels)
        {
            Find(position, first, count, addresses);
            float* row = target;
            for (int r = 0; r < count; r++, row += pitch) Copy((float*)addresses[r] + channel, row, channels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* source, float* target, int count)
    {
        int i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count) Vector256.Load(source + i).Store(target + i);
        if (i <= count - Vector128<float>.Count)
        {
            Vector128.Load(source + i).Store(target + i);
            i += Vector128<float>.Count;
        }

        for (; i < count; i++) target[i] = source[i];
    }
}

/// <summary>The rows of a tensor.</summary>
internal sealed unsafe class TensorRows(Tensor x) : GemmRows
{
    public override float* Start { get; } = x.Pointer<float>();

    public override nint Pitch { get; } = x.RowPitch;

    public override int Count { get; } = x.Rows;

    public override int KernelPositions => 1;

    public override int Channels { get; } = x.Width;

    [MethodImpl(Jit.Kernel)]
    public override void Find(int position, int first, int count, byte** addresses)
    {
        for (int i = 0; i < count; i++) addresses[i] = (byte*)(Start + Math.Min(first + i, Count - 1) * Pitch);
    }
}
