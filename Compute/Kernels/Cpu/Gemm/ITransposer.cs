namespace ILGpuDiffusion.Compute;

/// <summary>Transposes square blocks in registers: what packing of operands is made of.</summary>
internal unsafe interface ITransposer
{
    /// <summary>Rows and columns of a block.</summary>
    static abstract int Lanes { get; }

    /// <summary>Reads <see cref="Lanes"/> elements from each of as many rows; element i of all rows goes to <c>target + offsets[i]</c>, in ascending order of i.</summary>
    /// <param name="rows">Address of each row's first element.</param>
    /// <param name="first">Bytes from there to the block.</param>
    /// <param name="target">Where the offsets count from.</param>
    /// <param name="offsets">In elements.</param>
    static abstract void Block<TStored>(byte** rows, nint first, float* target, nint* offsets) where TStored : struct, IStored;
}
