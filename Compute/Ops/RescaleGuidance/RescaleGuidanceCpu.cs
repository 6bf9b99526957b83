using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One entry per part: latents are small. Moments are float32 inside a run of a few thousand elements and float64 between runs.
/// </summary>
internal sealed class RescaleGuidanceCpu : ISimdBinder
{
    private const int Guided = 0, Text = 1, Result = 2;

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new Parts<V>(call);

    private sealed unsafe class Parts<V>(OpCall call) : CpuLaunch(call) where V : struct, ISimd<V>
    {
        private readonly EntryRuns runs = new(call.Inputs[0], call.Inputs[1], call.Output);
        private readonly Tensor phi = call.Inputs[2];

        public override void Run() => Parallel(runs.Entries);

        public override void Execute(int part, int worker)
        {
            double share = *phi.Pointer<float>();
            float factor = (float)(share * Deviation(Text, part) / Deviation(Guided, part) + (1 - share));
            for (int run = 0; run < runs.Count; run++)
                MapRow<V>.Apply(new Factor(factor), runs.Of(Guided, part, run), runs.Of(Result, part, run), runs.LengthOf(run));
        }

        /// <summary>√(Σ (x − μ)² / (count − 1)); NaN for one element, as in PyTorch.</summary>
        private double Deviation(int tensor, int entry)
        {
            double sum = 0, first = 0, second = 0;
            for (int run = 0; run < runs.Count; run++) sum += RowStatistics.Sum<V>(runs.Of(tensor, entry, run), runs.LengthOf(run));
            float origin = (float)(sum / runs.Elements);
            for (int run = 0; run < runs.Count; run++)
            {
                var moments = RowStatistics.Moments<V>(runs.Of(tensor, entry, run), runs.LengthOf(run), origin);
                first += moments.First;
                second += moments.Second;
            }

            return Math.Sqrt(Math.Max(second - first * first / runs.Elements, 0) / (runs.Elements - 1));
        }
    }
}
