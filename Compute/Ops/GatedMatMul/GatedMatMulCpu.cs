namespace ILGpuDiffusion.Compute;

/// <summary>Block of rows by block of rows: the product goes to working memory of one block, where the gate finds it in the cache.</summary>
internal static class GatedMatMulCpu
{
    private static readonly TuningParameter MostRows = new("block_rows", 1152, 144, 288, 576, 1152); // enough rows for a product to be cut well, few enough to keep the arena small

    /// <summary>What can be set without changing a bit of the result.</summary>
    public static TuningSpace Tuning { get; } = new([MostRows, .. GemmTuning.Space.Parameters]);

    public static long ScratchBytes(OpSignature signature)
    {
        Shape y = signature.Output.Concrete();
        return (long)RowsPerBlock(y.Rows, signature.Settings) * 2 * y.Last * sizeof(float);
    }

    /// <summary>Blocks of nearly equal size: a last one of a few rows would be computed in another way than the rest.</summary>
    private static int RowsPerBlock(int rows, KernelSettings settings)
    {
        int most = settings[MostRows];
        return rows <= most ? rows : (rows + (rows - 1) / most) / ((rows + most - 1) / most);
    }

    public static Launch Bind(OpCall call)
    {
        Tensor x = Flat(call.Inputs[0]), y = Flat(call.Output);
        var launches = new List<Launch>();
        int most = RowsPerBlock(y.Rows, call.Settings);
        for (int row = 0; row < y.Rows; row += most)
        {
            int rows = Math.Min(most, y.Rows - row);
            var wide = new Tensor(call.Scratch!.Buffer, call.Scratch.Offset, DType.Float32, [rows, 2 * y.Width]);
            launches.Add(Simd.Bind<MatMulCpu>(call with { Op = new MatMul(), Inputs = [x.Slice(row, rows), .. call.Inputs[1..]], Output = wide, Scratch = null }));
            launches.Add(Simd.Bind<GeGluCpu>(call with { Op = new GeGlu(), Inputs = [wide], Output = y.Slice(row, rows), Scratch = null }));
        }

        return new SequenceLaunch([.. launches]);
    }

    private static Tensor Flat(Tensor tensor) => new(tensor.Buffer, tensor.Offset, tensor.DType, [tensor.Rows, tensor.Width], tensor.RowPitch);
}
