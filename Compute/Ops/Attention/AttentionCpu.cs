namespace ILGpuDiffusion.Compute;

/// <summary>Tiled attention with online softmax; no matrix of queries × keys exists.</summary>
internal readonly struct AttentionCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new AttentionLaunch<V>(call);
}
