using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A GEMM followed by its epilogue over the whole result, for kernels that do not apply the epilogue tile by tile.</summary>
internal sealed class EpilogueLaunch(OpCall call, Launch gemm, TileEpilogue epilogue)
    : RowLaunch(call, call.Output.Rows, call.Output.Width)
{
    private readonly int width = call.Output.Width;

    /// <summary>Returns <paramref name="gemm"/> itself if there is no epilogue.</summary>
    public static Launch After(Launch gemm, OpCall call, TileEpilogue? epilogue) =>
        epilogue is null ? gemm : new EpilogueLaunch(call, gemm, epilogue);

    protected override void Prepare() => gemm.Run();

    protected override void Row(int row) => epilogue.Apply(row, 1, 0, width);
}
