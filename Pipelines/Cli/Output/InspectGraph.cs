using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>
/// The plans of a model's denoiser and decoder, with all passes and without any, as <c>ilgd inspect --graph</c> shows them.
/// </summary>
internal static class InspectGraph
{
    /// <summary>The plans for one guided image.</summary>
    /// <param name="pipeline">The model.</param>
    /// <param name="size">Size of the image; null for the model's own.</param>
    /// <param name="measure">Whether they are run and timed.</param>
    /// <param name="cancellation">Cancels measuring.</param>
    public static async Task<IReadOnlyList<InspectedPlan>> PlansAsync(DiffusionPipeline pipeline, PixelSize? size, bool measure,
        CancellationToken cancellation)
    {
        var (device, plans) = (pipeline.Device, await pipeline.InspectAsync(size, measure, cancellation).ConfigureAwait(false));
        return [.. plans.Select(plan => new InspectedPlan(plan.Name, pipeline.Name,
            $"{plan.Size.Width} × {plan.Size.Height} pixels, one image{(plan.Guided ? " with guidance" : "")}", Describe(device),
            device.Ceilings, plan.Report, plan.Plain) { Compilation = plan.Compilation })];
    }

    /// <summary>JSON output.</summary>
    public static string Json(string path, DiffusionPipeline pipeline, IEnumerable<InspectedPlan> plans) => JsonOutput.Of(new
    {
        path,
        @class = pipeline.PipelineClass,
        device = plans.First().Device,
        ceilings = plans.First().Ceilings is { } c
            ? new { flops_per_second = c.FlopsPerSecond, bytes_per_second = c.BytesPerSecond, source = c.Source } : null,
        types = PrecisionReport.Of(pipeline.Precisions),
        plans = plans.Select(p => new
        {
            name = p.Name,
            purpose = p.Purpose,
            compile = CompilationReport.Of([p.Compilation]),
            attention = p.Report.Attention.Select(AttentionReport.Of),
            launches = p.Report.Steps.Count,
            launches_once = p.Report.LoopInvariantSteps.Count,
            launches_without_passes = p.Plain.Steps.Count + p.Plain.LoopInvariantSteps.Count,
            flops = p.Report.Flops,
            arena_bytes = p.Report.ArenaBytes,
            peak_live_bytes = p.Report.PeakLiveBytes,
            predicted_seconds = p.Report.PredictedSeconds,
            measured_seconds = p.Report.MeasuredSeconds,
            steps = p.Report.LoopInvariantSteps.Select(s => Step(s, true)).Concat(p.Report.Steps.Select(s => Step(s, false))),
            memory = p.Report.Memory.Select(Block),
        }),
    });

    private static object Block(PlanReportBlock block) => new
    {
        name = block.Name,
        kind = block.Kind,
        offset = block.Offset,
        bytes = block.Bytes,
        first = block.First,
        last = block.Last,
        is_over = block.IsOver,
    };

    private static object Step(PlanReportStep step, bool once) => new
    {
        index = step.Index,
        once,
        op = step.Op,
        variant = step.Variant,
        settings = step.Settings,
        output = step.Output,
        bytes = step.Bytes,
        weight_bytes = step.WeightBytes,
        scratch_bytes = step.ScratchBytes,
        flops = step.Flops,
        work = step.Work,
        predicted_seconds = step.PredictedSeconds,
        measured_seconds = step.MeasuredSeconds,
        layer = step.Layer,
    };

    private static string Describe(Device device) =>
        device is CpuDevice cpu ? $"{cpu.Id} ({cpu.Name}, {cpu.Architecture}, {cpu.Threads} threads)"
            : $"{device.Id} ({device.Name}, {device.Architecture})";
}
