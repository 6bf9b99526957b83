namespace ILGpuDiffusion.Compute;

/// <summary>The packed product of all rows at once.</summary>
internal static class MatMulCpu
{
    public static Launch Bind(OpCall call) =>
        new GemmLaunch(call, new TensorRows(call.Inputs[0]), call.Inputs[1], call.Inputs.Length > 2 ? call.Inputs[2] : null);
}
