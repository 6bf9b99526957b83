using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One entry per part: latents are small. The quantile comes from a radix selection rather than a sorted copy.</summary>
internal sealed class DynamicThresholdCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Parts<V>(call);

    private sealed unsafe class Parts<V>(OpCall call) : CpuLaunch(call) where V : struct, ISimd<V>
    {
        private readonly EntryRuns runs = new(call.Inputs[0], call.Output);
        private readonly DynamicThreshold op = (DynamicThreshold)call.Op;

        public override void Run() => Parallel(runs.Entries);

        public override void Execute(int part, int worker)
        {
            float limit = MathF.Min(MathF.Max(new MagnitudeQuantile(runs, part).At((float)op.Ratio), 1f), (float)op.MaxValue);
            for (int run = 0; run < runs.Count; run++)
                MapRow<V>.Apply(new Threshold(limit), runs.Of(0, part, run), runs.Of(1, part, run), runs.LengthOf(run));
        }
    }

    private readonly struct Threshold(float limit) : IMap
    {
        public V Apply<V>(V x) where V : struct, ISimd<V>
        {
            V s = V.Create(limit);
            return V.Min(s, V.Max(-s, x)) / s;
        }
    }
}
