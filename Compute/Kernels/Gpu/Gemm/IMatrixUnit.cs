using ILGPU;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Multiplies 128 rows by two times 64 columns per group with matrix instructions: a type argument of <see cref="MatrixGemm"/>'s kernels.
/// Its work items keep four bands of sums; a band has one instruction's rows of every part of the tile, 32 rows of the tile together.
/// </summary>
/// <typeparam name="TSums">Sums held by one work item.</typeparam>
internal interface IMatrixUnit<TSums> where TSums : struct
{
    /// <summary>Rows that one instruction multiplies.</summary>
    static abstract int Rows { get; }

    /// <summary>Local memory, in vectors of 16 bytes.</summary>
    static abstract int LocalPieces { get; }

    /// <summary>
    /// The sums of a tile: rows from <paramref name="row0"/> on, 64 columns from <paramref name="low0"/> and 64 from
    /// <paramref name="high0"/> on.
    /// </summary>
    static abstract TSums Sum<TRows>(
        TRows source, ArrayView<Word4> local, ArrayView<ushort> x, ArrayView<ushort> w, int row0, int rows, int low0, int high0,
            int weightRows, int depth, int positions)
        where TRows : struct, IRowSource;

    /// <summary>Writes band <paramref name="i"/> of all work items to local memory, for all to read.</summary>
    static abstract void Stage(ArrayView<Word4> local, TSums sums, int i);

    /// <summary>A sum of the staged band: <paramref name="row"/> of 32, <paramref name="column"/> of 128.</summary>
    static abstract float Staged(ArrayView<Word4> local, int row, int column);
}
