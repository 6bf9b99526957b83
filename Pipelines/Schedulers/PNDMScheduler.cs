using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Pseudo numerical methods: Liu et al., 2022 (arXiv:2202.09778). Three Runge-Kutta steps of four evaluations each provide the history of a
/// linear multistep method (PLMS). With skip_prk_steps, as in Stable Diffusion, PLMS starts without them and needs one evaluation more than
/// there are steps.
/// </summary>
internal sealed class PNDMScheduler : AlphaScheduler
{
    public static readonly string[] Keys = [.. BetaSchedule.Keys, .. TimestepSpacing.Keys, "skip_prk_steps", "set_alpha_to_one",
        "prediction_type"];

    private const int RungeKuttaEvaluations = 12;
    private const int Kept = 3;
    private static readonly Slot Start = Slot.History(Kept);       // the sample from which several evaluations begin
    private static readonly Slot Average = Slot.History(Kept + 1); // the weighted sum of a Runge-Kutta step
    private static readonly double[] RungeKuttaWeights = [1 / 6.0, 1 / 3.0, 1 / 3.0, 1 / 6.0];
    private static readonly double[][] AdamsBashforth =
        [[1], [3 / 2.0, -1 / 2.0], [23 / 12.0, -16 / 12.0, 5 / 12.0], [55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0]];

    private readonly PredictionType prediction;
    private readonly TimestepSpacing spacing;
    private readonly bool multistepOnly;

    public PNDMScheduler(ModelConfig config) : base(config, TrainingNoise.From(BetaSchedule.Read(config)), endsAtOne: false)
    {
        prediction = Prediction.Read(config, PredictionType.Epsilon, PredictionType.Sample, PredictionType.VPrediction);
        spacing = new TimestepSpacing(config, Training.Count, "leading");
        multistepOnly = config.Bool("skip_prk_steps", false);
    }

    public override string Name => nameof(PNDMScheduler);

    public override IReadOnlyList<string> ConfigKeys => Keys;

    protected internal override int HistorySlots => multistepOnly ? Kept + 1 : Kept + 2;

    protected override ScheduleTables MakeTables(ScheduleRequest request)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        int steps = request.Steps!.Value;
        double[] whole = Timesteps(spacing, steps);
        if (multistepOnly) return Tables(steps == 1 ? whole : [whole[0], whole[1], .. whole[1..]]);

        if (steps < 4)
            throw new DiffusionRequestException(nameof(request.Steps),
                $"{Name}: steps is {steps}; with Runge-Kutta steps it must be at least 4 (or set skip_prk_steps).");
        double half = Training.Count / steps / 2;
        double[] middles = [.. Enumerable.Range(0, Kept)
            .SelectMany(i => new[] { whole[i], whole[i + 1] + half, whole[i + 1] + half, whole[i + 1] })];
        return Tables([.. middles, .. whole[Kept..]]);
    }

    protected internal override void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done)
    {
        if (prediction == PredictionType.Sample) throw PredictionRefused(prediction);
        if (!multistepOnly && index != done)
            throw new DiffusionRequestException("DenoisingStart",
                $"{Name} cannot begin at evaluation {index - done}: its Runge-Kutta steps start the run. Set skip_prk_steps.");
        double timestep = tables.Timesteps[index], stride = Training.Count / request.Steps!.Value;
        if (!multistepOnly && done < RungeKuttaEvaluations) RungeKutta(step, tables, timestep, Math.Floor(stride / 2), done);
        else if (multistepOnly && done == 1) SecondEvaluation(step, timestep, stride);
        else Multistep(step, timestep, stride, multistepOnly ? Math.Max(done - 1, 0) : done - RungeKuttaEvaluations + Kept,
            saveSample: multistepOnly && done == 0);
    }

    /// <summary>Evaluation <paramref name="done"/> % 4 of a Runge-Kutta step; all four begin at the same sample.</summary>
    private void RungeKutta(StepWriter step, ScheduleTables tables, double timestep, double half, int done)
    {
        int phase = done % 4;
        double next = timestep - (phase % 2 == 0 ? half : 0), begin = tables.Timesteps[done - phase];
        Preview(step, timestep);
        if (phase == 0)
        {
            step.Combine(Start, (Slot.Sample, 1));
            step.Combine(Slot.History(done / 4 % Kept), (Slot.ModelOutput, 1));
        }

        if (phase == 3) Transfer(step, Start, begin, next, (Average, 1), (Slot.ModelOutput, RungeKuttaWeights[3]));
        else
        {
            step.Combine(Average, (Average, phase == 0 ? 0 : 1), (Slot.ModelOutput, RungeKuttaWeights[phase]));
            Transfer(step, Start, begin, next, (Slot.ModelOutput, 1));
        }
    }

    /// <summary>PLMS repeats its first step with the mean of the predictions at both ends.</summary>
    private void SecondEvaluation(StepWriter step, double timestep, double stride)
    {
        Preview(step, timestep);
        Transfer(step, Start, timestep + stride, timestep, (Slot.ModelOutput, 0.5), (Slot.History(0), 0.5));
    }

    /// <summary>
    /// Adams-Bashforth over this prediction and up to three previous ones; <paramref name="number"/> counts the predictions since the run
    /// began.
    /// </summary>
    private void Multistep(StepWriter step, double timestep, double stride, int number, bool saveSample)
    {
        double[] weights = AdamsBashforth[Math.Min(number, Kept)];
        var outputs = new (Slot, double)[weights.Length];
        for (int back = 0; back < outputs.Length; back++)
            outputs[back] = (back == 0 ? Slot.ModelOutput : Slot.History((number - back) % Kept), weights[back]);
        Preview(step, timestep);
        if (saveSample) step.Combine(Start, (Slot.Sample, 1));
        Transfer(step, Slot.Sample, timestep, timestep - stride, outputs);
        step.Combine(Slot.History(number % Kept), (Slot.ModelOutput, 1)); // replaces the oldest, which is no longer used
    }

    /// <summary>
    /// Formula 9: the sample at <paramref name="to"/> from that at <paramref name="from"/> and a weighted sum of model outputs.
    /// </summary>
    private void Transfer(StepWriter step, Slot source, double from, double to, params ReadOnlySpan<(Slot Slot, double Weight)> outputs)
    {
        double alpha = Training.AlphaCumprod(from), next = Training.AlphaCumprod(to, FinalAlpha);
        double factor = (next - alpha) / (alpha * Math.Sqrt(1 - next) + Math.Sqrt(alpha * (1 - alpha) * next));
        var epsilon = Prediction.Noise(prediction, Math.Sqrt(alpha), Math.Sqrt(1 - alpha));
        var terms = new (Slot, double)[outputs.Length + 1];
        terms[0] = (source, Math.Sqrt(next / alpha) - factor * epsilon.Sample);
        for (int i = 0; i < outputs.Length; i++) terms[i + 1] = (outputs[i].Slot, -factor * epsilon.Output * outputs[i].Weight);
        step.Combine(Slot.Sample, terms);
    }

    private void Preview(StepWriter step, double timestep)
    {
        double alpha = Training.AlphaCumprod(timestep);
        step.Denoise(Prediction.Denoised(prediction, Math.Sqrt(alpha), Math.Sqrt(1 - alpha)));
    }
}
