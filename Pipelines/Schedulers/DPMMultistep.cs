using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// DPM-Solver's multistep method with its settings: the order of each step and its program over a ring of the last x0 or ε, in the
/// history's first slots. The formulas are in <see cref="DPMSolver"/>.
/// </summary>
internal sealed class DPMMultistep
{
    /// <summary>The keys that the constructor reads, and algorithm_type.</summary>
    public static readonly string[] Keys = ["algorithm_type", "solver_order", "solver_type", "lower_order_final", "euler_at_final"];

    private const int FewSteps = 15; // below this, lower_order_final lowers the order of the last two steps
    private readonly DPMAlgorithm algorithm;
    private readonly bool heun;
    private readonly bool lowerOrderFinal;
    private readonly bool eulerAtFinal;
    private readonly bool endsAtZero;

    /// <summary>Reads the settings.</summary>
    /// <param name="config">The scheduler's config.</param>
    /// <param name="algorithm">What is integrated.</param>
    /// <param name="mostOrder">The highest order that diffusers has for it.</param>
    /// <param name="endsAtZero">Whether the run ends at σ = 0, where the last step must be of first order.</param>
    public DPMMultistep(ModelConfig config, DPMAlgorithm algorithm, int mostOrder, bool endsAtZero)
    {
        (this.algorithm, this.endsAtZero) = (algorithm, endsAtZero);
        heun = DPMSolver.IsHeun(config);
        Order = config.Int("solver_order", 2);
        if (Order < 1 || Order > mostOrder) throw config.Wrong("solver_order", $"between 1 and {mostOrder} for this algorithm_type");
        lowerOrderFinal = config.Bool("lower_order_final", true);
        eulerAtFinal = config.Bool("euler_at_final", false);
    }

    /// <summary>solver_order.</summary>
    public int Order { get; }

    /// <summary>The slot that takes x0 or ε of the <paramref name="done"/>-th evaluation of a run.</summary>
    public Slot Output(int done) => Slot.History(done % Order);

    /// <summary>Writes the step, after x0 or ε has been written into <see cref="Output"/>.</summary>
    /// <param name="step">The step.</param>
    /// <param name="points">The points of all evaluations and of the end.</param>
    /// <param name="index">The evaluation.</param>
    /// <param name="done">The number of evaluations of this run before it.</param>
    public void Write(StepWriter step, ReadOnlySpan<DPMPoint> points, int index, int done)
    {
        int order = StepOrder(points.Length - 1, index, done);
        var before = new DPMPoint[order - 1];
        for (int back = 1; back < order; back++) before[back - 1] = points[index - back];
        var update = DPMSolver.Update(algorithm, heun, points[index + 1], points[index], before);
        step.NeedsNoise = algorithm is DPMAlgorithm.DataWithNoise or DPMAlgorithm.NoiseWithNoise;
        step.Combine(Slot.Sample,
        [
            (Slot.Sample, update.Sample), (Slot.Noise, update.Noise),
            .. update.Outputs.Select((factor, back) => (Output(done - back), factor)),
        ]);
    }

    /// <summary>The order of a step: as high as the history allows, lower at the end, where λ diverges.</summary>
    private int StepOrder(int count, int index, int done)
    {
        bool few = lowerOrderFinal && count < FewSteps;
        int end = index == count - 1 && (eulerAtFinal || few || endsAtZero) ? 1 : index == count - 2 && few ? 2 : 3;
        return Math.Min(Math.Min(Order, done + 1), end);
    }
}
