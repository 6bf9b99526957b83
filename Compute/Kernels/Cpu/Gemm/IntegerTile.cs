using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// The micro-kernel of integer GEMMs: like <see cref="GemmTile"/>, but sums are exact and are converted to floats at the end.
/// </summary>
internal abstract unsafe class IntegerTile
{
    /// <summary>Rows of a tile.</summary>
    public abstract int Rows { get; }

    /// <summary>Columns of a tile, two vectors.</summary>
    public abstract int Columns { get; }

    /// <summary>Multiplies and scales.</summary>
    /// <param name="lanes">K, in 32-bit lanes.</param>
    /// <param name="a">Left operand, read in place.</param>
    /// <param name="rowPitch">Lanes between rows of a.</param>
    /// <param name="b">Packed right operand, [lanes, Columns].</param>
    /// <param name="rows">Number of rows written, 1 … Rows. All Rows of a are read; the contents of the rest do not matter.</param>
    /// <param name="y">The results; full rows of <see cref="Columns"/> are written.</param>
    public abstract void Multiply(nint lanes, int* a, nint rowPitch, int* b, int rows, ScaledTile y);
}

/// <summary>Six rows by two vectors, for 16 vector registers.</summary>
internal sealed unsafe class IntegerTile6<V> : IntegerTile where V : struct, IIntegerLanes<V>
{
    public override int Rows => 6;

    public override int Columns { get; } = GemmMicroKernel<V>.Width;

    public override void Multiply(nint lanes, int* a, nint rowPitch, int* b, int rows, ScaledTile y)
    {
        var end = new ScaledEnd<V>(y);
        GemmMicroKernel<V>.SixRows(lanes, (float*)a, rowPitch, 1, (float*)b, rows, &end);
    }
}

/// <summary>Twelve rows by two vectors, for 32 vector registers.</summary>
internal sealed unsafe class IntegerTile12<V> : IntegerTile where V : struct, IIntegerLanes<V>
{
    public override int Rows => 12;

    public override int Columns { get; } = GemmMicroKernel<V>.Width;

    public override void Multiply(nint lanes, int* a, nint rowPitch, int* b, int rows, ScaledTile y)
    {
        var end = new ScaledEnd<V>(y);
        if (rows <= 6) GemmMicroKernel<V>.SixRows(lanes, (float*)a, rowPitch, 1, (float*)b, rows, &end);
        else GemmMicroKernel<V>.TwelveRows(lanes, (float*)a, rowPitch, 1, (float*)b, rows, &end);
    }
}
