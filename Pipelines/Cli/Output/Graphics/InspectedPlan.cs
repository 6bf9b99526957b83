using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>One plan of a model, as <c>inspect --graph</c> shows it.</summary>
/// <param name="Name">denoiser or decoder.</param>
/// <param name="Model">The model's name.</param>
/// <param name="Purpose">What the plan is for: <c>512 × 512 pixels, one image with guidance</c>.</param>
/// <param name="Device">The device.</param>
/// <param name="Ceilings">The ceilings that predicted times are computed from, or null.</param>
/// <param name="Report">The plan.</param>
/// <param name="Plain">The plan without any pass.</param>
internal sealed record InspectedPlan(string Name, string Model, string Purpose, string Device, DeviceCeilings? Ceilings, PlanReport Report,
    PlanReport Plain)
{
    /// <summary>The report of its compilation.</summary>
    public required CompileReport Compilation { get; init; }

    /// <summary>Model and purpose.</summary>
    public string Subject => $"{Model} · {Purpose}";

    /// <summary>Time of all steps: measured, else predicted; 1 where neither is known, so that fractions stay finite.</summary>
    public double Seconds => Report.Steps.Sum(Weight) is > 0 and var sum ? sum : 1;

    /// <summary>A step's extent in an image: its time, or its bytes where times are not known.</summary>
    public double Weight(PlanReportStep step) =>
        Report.MeasuredSeconds is not null ? step.MeasuredSeconds!.Value : step.PredictedSeconds ?? step.Bytes * 1e-10;

    /// <summary>Whether times were measured.</summary>
    public bool IsMeasured => Report.MeasuredSeconds is not null;

    /// <summary>Tooltip of a step.</summary>
    public string Describe(PlanReportStep step)
    {
        string time = IsMeasured ? $"{Measures.Time(Weight(step))}, {Measures.Percent(Weight(step) / Seconds)} of the run"
            : $"at least {Measures.Time(Weight(step))}";
        string roof = IsMeasured && step.PredictedSeconds is { } least
            ? $"\nat least {Measures.Time(least)}: {Measures.Percent(least / Weight(step))} of what the device could do" : "";
        string settings = step.Settings.Length > 0 ? $"\n{step.Settings}" : "";
        return $"{step.Op}  {step.Variant}\n{step.Layer}\n{step.Output}\n{time}{roof}\n{Measures.Flops(step.Flops)}, "
            + $"{Measures.Bytes(step.Bytes)} ({Measures.Bytes(step.WeightBytes)} of weights){settings}";
    }
}
