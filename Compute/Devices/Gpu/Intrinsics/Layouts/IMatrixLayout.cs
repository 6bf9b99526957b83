using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// The elements of operands and sums that the eight registers of a sub-group's work item hold: a type argument of kernels. Both operands
/// are rows of sixteen 16-bit elements (or pairs of bytes) along K; the sums' columns are the right operand's rows.
/// </summary>
internal interface IMatrixLayout
{
    /// <summary>Work items of a sub-group.</summary>
    static abstract int Lanes { get; }

    /// <summary>Rows of the left operand.</summary>
    static abstract int Rows { get; }

    /// <summary>Rows of the right operand.</summary>
    static abstract int Columns { get; }

    /// <summary>Elements of the left operand in one register, from its low bits on: 2 or 1.</summary>
    static abstract int LeftElements { get; }

    /// <summary>Registers used by an operand; the others are ignored.</summary>
    static abstract int Registers { get; }

    /// <summary>Row of the left operand in a register.</summary>
    static abstract int LeftRow(int lane, int register);

    /// <summary>First element of the row in that register.</summary>
    static abstract int LeftElement(int lane, int register);

    /// <summary>Row of the right operand in a register, of which it holds two elements.</summary>
    static abstract int RightRow(int lane, int register);

    /// <summary>First element of the row in that register.</summary>
    static abstract int RightElement(int lane, int register);

    /// <summary>Row of a sum.</summary>
    static abstract int SumRow(int lane, int register);

    /// <summary>Column of a sum.</summary>
    static abstract int SumColumn(int lane, int register);

    /// <summary>
    /// Reads a work item's part of the left operand. Its first row is at <paramref name="at"/>, the others <paramref name="pitch"/> vectors
    /// of 16 bytes apart.
    /// </summary>
    static abstract Word8 ReadLeft(ArrayView<Word4> local, int at, int pitch, int lane);

    /// <summary>Reads a work item's part of the right operand.</summary>
    static abstract Word8 ReadRight(ArrayView<Word4> local, int at, int pitch, int lane);
}
