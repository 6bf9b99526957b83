using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Packs operands for the micro-kernels: from rows, whose inner dimension is contiguous, to <c>target[k][row]</c>, widened to float32.
/// </summary>
internal abstract unsafe class Packer
{
    /// <summary>
    /// Rows are transposed in groups of a multiple of this. Callers pass row addresses up to a multiple of it, repeating any valid row.
    /// </summary>
    public const int RowGroup = 4;

    /// <summary>Elements that packing may write past the end of its target.</summary>
    public const int Overrun = RowGroup;

    /// <summary>Packs rows of float32, or of any four-byte units.</summary>
    public static Packer Float32 { get; } = Create<StoredFloat32>();

    private static Packer BFloat16 { get; } = Create<StoredBFloat16>();

    private static Packer Float16 { get; } = Create<StoredFloat16>();

    private static Packer Int8 { get; } = Create<StoredInt8>();

    /// <summary>Packs rows of int8, two to an int16 pair in each 32-bit lane.</summary>
    public static Packer Int8Pairs { get; } = Create<StoredInt8Pair>();

    /// <summary>Packs rows of int8, four to a 32-bit lane, with 128 added to each.</summary>
    public static Packer UInt8Quads { get; } = Create<StoredUInt8Quad>();

    /// <summary>The packer for rows of a float type, or of int8 as floats.</summary>
    public static Packer For(DType dtype) => dtype switch
    {
        DType.Float32 => Float32,
        DType.BFloat16 => BFloat16,
        DType.Float16 => Float16,
        DType.Int8 => Int8,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Neither a float type nor Int8."),
    };

    /// <summary>target[k·pitch + r] = row r's element first + k.</summary>
    /// <param name="rows">Addresses of the rows' first elements, a multiple of <see cref="RowGroup"/> of them.</param>
    /// <param name="rowCount">Number of rows. Up to <see cref="RowGroup"/> − 1 may exceed the pitch: what they write is overwritten by the
    /// next k.</param>
    /// <param name="first">First element of each row to take.</param>
    /// <param name="length">Number of elements to take.</param>
    /// <param name="target">Packed operand.</param>
    /// <param name="pitch">Elements between one k and the next.</param>
    public abstract void Pack(byte** rows, int rowCount, nint first, nint length, float* target, nint pitch);

    /// <summary>
    /// As <see cref="Pack"/> for rows that interleave <paramref name="positions"/> values per channel: target[(t·channels + c)·pitch + r] =
    /// row r's element (first + c)·positions + t.
    /// </summary>
    public abstract void PackKernelPositions(byte** rows, int rowCount, nint first, nint channels, int positions, float* target,
        nint pitch);

    /// <summary>Widens contiguous elements.</summary>
    public abstract void Widen(byte* source, float* target, int count);

    private static Packer Create<TStored>() where TStored : struct, IStored =>
        SimdWidth.Bits == 512 ? new Packer<TStored, Simd512>()
        : SimdWidth.Bits >= 256 ? new Packer<TStored, Simd256>()
        : new Packer<TStored, Simd128>();
}

/// <summary>A packer for one storage type and register width.</summary>
internal sealed unsafe class Packer<TStored, V> : Packer
    where TStored : struct, IStored
    where V : struct, ISimd<V>
{
    private static int Step => RowLanes.Elements<TStored>();

    public override void Pack(byte** rows, int rowCount, nint first, nint length, float* target, nint pitch)
    {
        nint whole = length / Step * Step;
        int r = rowCount;
        // In descending order: a last group that is wider than the pitch writes into the next k's first rows, which are packed after it.
        if ((r & 4) != 0 && V.Count > 4) PackGroup<Simd128>(rows + (r -= 4), first, whole, target + r, pitch);
        if ((r & 8) != 0 && V.Count > 8) PackGroup<Simd256>(rows + (r -= 8), first, whole, target + r, pitch);
        while ((r -= V.Count) >= 0) PackGroup<V>(rows + r, first, whole, target + r, pitch);
        target += whole * pitch;
        for (nint k = whole; k < length; k++, target += pitch)
        {
            for (r = 0; r < rowCount; r++) target[r] = TStored.Read(rows[r] + (first + k) * TStored.Size);
        }
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public override void PackKernelPositions(byte** rows, int rowCount, nint first, nint channels, int positions, float* target, nint pitch)
    {
        // After Step channels, the kernel positions of a step's elements repeat.
        int period = positions * Step;
        nint* offsets = stackalloc nint[period];
        nint tapPitch = channels * pitch;
        for (int i = 0; i < period; i++) offsets[i] = i % positions * tapPitch + i / positions * pitch;
        nint start = first * positions * TStored.Size, length = channels * positions;
        for (nint k = 0; k < length; k += period, target += Step * pitch)
        {
            nint* offset = offsets;
            int count = (int)nint.Min(period, length - k), whole = count / Step * Step;
            for (nint* end = offsets + whole; offset < end; offset += Step, start += Step * TStored.Size)
            {
                for (int r = 0; r < rowCount; r += V.Count) RowLanes.Transpose<V, TStored>(rows + r, start, target + r, offset);
            }

            for (int i = whole; i < count; i++, start += TStored.Size)
            {
                for (int r = 0; r < rowCount; r++) target[offsets[i] + r] = TStored.Read(rows[r] + start);
            }
        }
    }

    public override void Widen(byte* source, float* target, int count)
    {
        for (int i = 0; i < count; i++) target[i] = TStored.Read(source + (nint)i * TStored.Size);
    }

    /// <summary>Packs one register's worth of rows.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void PackGroup<U>(byte** rows, nint first, nint length, float* target, nint pitch) where U : struct, ISimd<U>
    {
        nint* offsets = stackalloc nint[Step];
        for (int i = 0; i < Step; i++) offsets[i] = i * pitch;
        nint at = first * TStored.Size;
        for (float* end = target + length * pitch; target < end; target += Step * pitch, at += RowLanes.Units * sizeof(float))
            RowLanes.Transpose<U, TStored>(rows, at, target, offsets);
    }
}
