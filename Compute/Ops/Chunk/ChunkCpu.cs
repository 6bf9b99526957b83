using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>The same kernel as <see cref="Slice"/>.</summary>
internal static class ChunkCpu
{
    public static Launch Bind(OpCall call) => SliceCpu.Bind(call, Copy(call));

    /// <summary>The block copy of a chunk, for any device.</summary>
    public static BlockCopy Copy(OpCall call)
    {
        var op = (Chunk)call.Op;
        int axis = op.Axis < 0 ? op.Axis + call.Output.Shape.Rank : op.Axis, length = call.Output.Shape[axis];
        return SliceCpu.Copy(call, axis, op.Index * length, length);
    }
}
