using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Tiled attention with online softmax; no matrix of queries × keys exists.</summary>
internal readonly struct AttentionCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new AttentionLaunch<V>(call);
}
