using System.Collections.Immutable;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>One operation of a step program, self-contained: slots and plain numbers.</summary>
public abstract record SchedulerInstruction
{
    private protected SchedulerInstruction(Slot target) => Target = target;

    /// <summary>The slot that the instruction writes.</summary>
    public Slot Target { get; }
}

/// <summary>One summand of a <see cref="LinearCombinationInstruction"/>.</summary>
/// <param name="Slot">The slot that is read.</param>
/// <param name="Coefficient">Its finite factor, in double; a device may round it to float32.</param>
public readonly record struct Term(Slot Slot, double Coefficient);

/// <summary>
/// target = Σ coefficient · slot, element by element. The target may be among the terms: each element is read before it is written.
/// Without terms the target becomes zero. At most <see cref="MaxTerms"/> terms, each of another slot.
/// </summary>
public sealed record LinearCombinationInstruction : SchedulerInstruction
{
    /// <summary>The most terms of a combination, so that one kernel signature is enough.</summary>
    public const int MaxTerms = 6;

    internal LinearCombinationInstruction(Slot target, ImmutableArray<Term> terms) : base(target) => Terms = terms;

    /// <summary>The summands; none has coefficient 0.</summary>
    public ImmutableArray<Term> Terms { get; }

    /// <summary>"Sample = 0.5 Sample + 2 ModelOutput".</summary>
    public override string ToString() =>
        $"{Target} = {(Terms.IsEmpty ? "0" : string.Join(" + ", Terms.Select(t => $"{t.Coefficient:R} {t.Slot}")))}";
}

/// <summary>target = min(max(target, low), high), element by element (clip_sample).</summary>
public sealed record ClampInstruction : SchedulerInstruction
{
    internal ClampInstruction(Slot target, double low, double high) : base(target) => (Low, High) = (low, high);

    /// <summary>The lower bound.</summary>
    public double Low { get; }

    /// <summary>The upper bound.</summary>
    public double High { get; }

    /// <summary>"Denoised = clamp(Denoised, -1, 1)".</summary>
    public override string ToString() => $"{Target} = clamp({Target}, {Low:R}, {High:R})";
}

/// <summary>
/// Dynamic thresholding (Saharia et al., 2022, arXiv:2205.11487), for each item of the batch by itself:
/// s = min(max(quantile(|target|, ratio), 1), maximum); target = min(max(target, −s), s) / s.
/// The quantile of n values v sorted upwards is linear between neighbours: with p = ratio·(n − 1), v[⌊p⌋] + (p − ⌊p⌋)·(v[⌈p⌉] − v[⌊p⌋]).
/// </summary>
public sealed record DynamicThresholdInstruction : SchedulerInstruction
{
    internal DynamicThresholdInstruction(Slot target, double ratio, double maximum) : base(target) => (Ratio, Maximum) = (ratio, maximum);

    /// <summary>The quantile, 0 … 1 (dynamic_thresholding_ratio).</summary>
    public double Ratio { get; }

    /// <summary>The upper limit of s (sample_max_value).</summary>
    public double Maximum { get; }

    /// <summary>"Denoised = threshold(Denoised, 0.995, 1)".</summary>
    public override string ToString() => $"{Target} = threshold({Target}, {Ratio:R}, {Maximum:R})";
}
