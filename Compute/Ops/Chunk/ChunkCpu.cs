namespace ILGpuDiffusion.Compute;

/// <summary>The same copy as a slice.</summary>
internal static class ChunkCpu
{
    public static Launch Bind(OpCall call)
    {
        var op = (Chunk)call.Op;
        int axis = op.Axis < 0 ? op.Axis + call.Output.Shape.Rank : op.Axis, length = call.Output.Shape[axis];
        return SliceCpu.Bind(call, axis, op.Index * length, length);
    }
}
