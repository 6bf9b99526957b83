using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// One to four vectors of four elements, what a work item loads of one operand per step: in the storage type for vector loads, else as
/// floats.
/// </summary>
internal struct Pieces
{
    public Stored4 P0, P1, P2, P3;
}

/// <summary>Offsets of these vectors' rows; −1 if a row is padding.</summary>
internal struct RowOffsets
{
    public int R0, R1, R2, R3;

    /// <summary>All offsets increased by the same amount.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly RowOffsets Further(int elements) =>
        new() { R0 = R0 + elements, R1 = R1 + elements, R2 = R2 + elements, R3 = R3 + elements };
}

/// <summary>
/// Copies one step of an operand to local memory: consecutive work items load along a row, and store [k][row], so that all rows' elements
/// of one k are contiguous.
/// </summary>
internal readonly struct TileLoader<T, E, TItems, TAccess>
    where T : unmanaged where E : struct, IElement<T> where TItems : struct, IItems where TAccess : struct, IAccess
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private readonly ArrayView<T> view;
    private readonly int lines; // rows of the operand in the tile: a constant in the generated code

    [MethodImpl(Inline)]
    public TileLoader(ArrayView<T> view, int lines)
    {
        this.view = view;
        this.lines = lines;
    }

    private static int QuadsPerLine { [MethodImpl(Inline)] get => TItems.Depth / 4; }

    /// <summary>Rows that all work items load at once.</summary>
    private static int LinesAtOnce { [MethodImpl(Inline)] get => TItems.Rows * TItems.Columns / QuadsPerLine; }

    private static int Line { [MethodImpl(Inline)] get => Group.IdxX / QuadsPerLine; }

    private static int Quad { [MethodImpl(Inline)] get => 4 * (Group.IdxX % QuadsPerLine); }

    /// <summary>The row offsets of the left operand, for one kernel position.</summary>
    [MethodImpl(Inline)]
    public RowOffsets Rows<TRows>(TRows source, int row0, int rows, int position) where TRows : struct, IRowSource
    {
        RowOffsets at = default;
        // in a tile with few rows, some work items load nothing
        at.R0 = lines >= LinesAtOnce || Line < lines ? source.Offset(Math.Min(row0 + Line, rows - 1), position) : -1;
        if (lines > LinesAtOnce) at.R1 = source.Offset(Math.Min(row0 + Line + LinesAtOnce, rows - 1), position);
        return at;
    }

    /// <summary>
    /// The row offsets of the right operand: the first <paramref name="half"/> from <paramref name="low0"/> on, the others from
    /// <paramref name="high0"/> on.
    /// </summary>
    [MethodImpl(Inline)]
    public RowOffsets Columns(int low0, int high0, int half, int count, int pitch, int offset)
    {
        RowOffsets at = default;
        at.R0 = Column(Line, low0, high0, half, count, pitch) + offset;
        if (lines > LinesAtOnce) at.R1 = Column(Line + LinesAtOnce, low0, high0, half, count, pitch) + offset;
        if (lines > 2 * LinesAtOnce) at.R2 = Column(Line + 2 * LinesAtOnce, low0, high0, half, count, pitch) + offset;
        if (lines > 3 * LinesAtOnce) at.R3 = Column(Line + 3 * LinesAtOnce, low0, high0, half, count, pitch) + offset;
        return at;
    }

    /// <summary>Loads this work item's elements of a step; zeros beyond the end of K and in the padding.</summary>
    [MethodImpl(Inline)]
    public Pieces Load(RowOffsets at, int k, int depth)
    {
        Pieces pieces = default;
        pieces.P0 = Load(at.R0, k + Quad, depth);
        if (lines > LinesAtOnce) pieces.P1 = Load(at.R1, k + Quad, depth);
        if (lines > 2 * LinesAtOnce) pieces.P2 = Load(at.R2, k + Quad, depth);
        if (lines > 3 * LinesAtOnce) pieces.P3 = Load(at.R3, k + Quad, depth);
        return pieces;
    }

    /// <summary>Stores them to local memory: [k of the step][row], with the given pitch in floats.</summary>
    [MethodImpl(Inline)]
    public void Stage(ArrayView<float> staged, int stride, Pieces pieces)
    {
        int at = Quad * stride + Line;
        if (lines >= LinesAtOnce || Line < lines) Store(staged, at, stride, pieces.P0);
        if (lines > LinesAtOnce) Store(staged, at + LinesAtOnce, stride, pieces.P1);
        if (lines > 2 * LinesAtOnce) Store(staged, at + 2 * LinesAtOnce, stride, pieces.P2);
        if (lines > 3 * LinesAtOnce) Store(staged, at + 3 * LinesAtOnce, stride, pieces.P3);
    }

    [MethodImpl(Inline)]
    private static int Column(int line, int low0, int high0, int half, int count, int pitch) =>
        Math.Min(line < half ? low0 + line : high0 + line - half, count - 1) * pitch;

    [MethodImpl(Inline)]
    private static void Store(ArrayView<float> staged, int at, int stride, Stored4 stored)
    {
        Float4 piece = TAccess.Wide ? E.Widen4(stored) : stored.AsFloats();
        staged[at] = piece.X;
        staged[at + stride] = piece.Y;
        staged[at + 2 * stride] = piece.Z;
        staged[at + 3 * stride] = piece.W;
    }

    [MethodImpl(Inline)]
    private Stored4 Load(int offset, int k, int depth)
    {
        Float4 piece = default;
        if (offset < 0 || k >= depth) return default;
        int at = offset + k;
        if (TAccess.Wide) return E.Fetch4(view, at);
        piece.X = E.Widen(view[at]);
        if (k + 1 < depth) piece.Y = E.Widen(view[at + 1]);
        if (k + 2 < depth) piece.Z = E.Widen(view[at + 2]);
        if (k + 3 < depth) piece.W = E.Widen(view[at + 3]);
        return Stored4.Of(piece);
    }
}
