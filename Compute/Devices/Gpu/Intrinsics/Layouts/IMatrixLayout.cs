using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Which part of a product's operands and sums the eight registers of a sub-group's work item hold: a type argument of kernels. Both operands are rows of sixteen 16-bit elements
/// (or pairs of bytes) along the inner dimension; the sums' columns are the right operand's rows.
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

    /// <summary>Registers that hold a part of an operand; the others are not looked at.</summary>
    static abstract int Registers { get; }

    /// <summary>The row of the left operand of which a register holds a part.</summary>
    static abstract int LeftRow(int lane, int register);

    /// <summary>The first element of that part.</summary>
    static abstract int LeftElement(int lane, int register);

    /// <summary>The row of the right operand of which a register holds two elements.</summary>
    static abstract int RightRow(int lane, int register);

    /// <summary>The first of these.</summary>
    static abstract int RightElement(int lane, int register);

    /// <summary>The row of a sum.</summary>
    static abstract int SumRow(int lane, int register);

    /// <summary>The column of a sum.</summary>
    static abstract int SumColumn(int lane, int register);

    /// <summary>A work item's part of the left operand. Its first row lies at <paramref name="at"/>, the others <paramref name="pitch"/> pieces of 16 bytes apart.</summary>
    static abstract Word8 ReadLeft(ArrayView<Word4> local, int at, int pitch, int lane);

    /// <summary>Its part of the right operand, likewise.</summary>
    static abstract Word8 ReadRight(ArrayView<Word4> local, int at, int pitch, int lane);
}
