using System.Collections.Immutable;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Collects one step's program; throws for coefficients that are not finite.</summary>
public sealed class StepWriter
{
    private readonly Scheduler scheduler;
    private readonly int index;
    private readonly double timestep;
    private readonly List<SchedulerInstruction> instructions = [];
    private readonly List<SchedulerInstruction> preview = [];

    internal StepWriter(Scheduler scheduler, int index, double timestep) =>
        (this.scheduler, this.index, this.timestep) = (scheduler, index, timestep);

    /// <summary>True when the step draws noise, used or not.</summary>
    public bool NeedsNoise { get; set; }

    /// <summary>target = Σ coefficient · slot; terms with coefficient 0 are left out.</summary>
    public void Combine(Slot target, params ReadOnlySpan<(Slot Slot, double Coefficient)> terms) =>
        instructions.Add(Combination(target, terms));

    /// <summary>
    /// Sets x0 from the prediction: Denoised = blend of sample and model output (and of churn noise). Only a preview unless it is clipped.
    /// </summary>
    public void Denoise(Blend blend, double noise = 0) =>
        preview.Add(Combination(Slot.Denoised, [(Slot.Sample, blend.Sample), (Slot.ModelOutput, blend.Output), (Slot.Noise, noise)]));

    /// <summary>
    /// Applies the config's clipping to x0 and makes x0 part of the program. Returns false, and does nothing, where the config has none.
    /// </summary>
    internal bool ClipDenoised(ClippingConfig clipping)
    {
        if (clipping.Instruction is not { } clip) return false;
        preview.Add(clip);
        instructions.AddRange(preview);
        return true;
    }

    /// <summary>The finished step.</summary>
    internal SchedulerStep Finish() => new(NeedsNoise, [.. instructions], [.. preview]);

    private LinearCombinationInstruction Combination(Slot target, ReadOnlySpan<(Slot Slot, double Coefficient)> terms)
    {
        var kept = ImmutableArray.CreateBuilder<Term>(terms.Length);
        foreach (var (slot, coefficient) in terms)
        {
            if (!double.IsFinite(coefficient)) throw NotFinite(target, slot);
            if (coefficient != 0) kept.Add(new Term(slot, coefficient));
        }

        return new LinearCombinationInstruction(target, kept.ToImmutable());
    }

    private ModelFileException NotFinite(Slot target, Slot slot) => new(scheduler.Source,
        $"{scheduler.Name} cannot take step {index} (timestep {timestep:R}): the factor of {slot} in {target} is not a finite number. "
        + "The noise schedule leaves no signal or no noise there; epsilon prediction cannot begin at zero SNR, and neighbouring steps need "
            + "different sigmas.");
}
