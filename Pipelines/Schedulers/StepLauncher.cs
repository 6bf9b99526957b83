using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Runs a schedule's step programs on a device. Launches and coefficients are prepared by the constructor: running a step allocates nothing
/// and reads nothing back.
/// </summary>
internal sealed class StepLauncher : IDisposable
{
    private readonly DeviceScope scope;
    private readonly Tensor[] slots;
    private readonly Launch[][] steps, previews;
    private readonly CancellationToken cancellation;

    /// <summary>Prepares every program of a schedule.</summary>
    /// <param name="states">Memory of the scheduler's states, which nothing else uses meanwhile.</param>
    /// <param name="schedule">The run.</param>
    /// <param name="sample">The latents [n, h, w, c]; changed by every step.</param>
    /// <param name="modelOutput">The prediction [n, h, w, c].</param>
    /// <param name="withPreviews">Whether <see cref="RunPreview"/> will be called.</param>
    /// <param name="cancellation">Cancels the compilation of kernels.</param>
    public StepLauncher(SchedulerStates states, Schedule schedule, Tensor sample, Tensor modelOutput, bool withPreviews = false,
        CancellationToken cancellation = default)
    {
        (scope, this.cancellation) = (new DeviceScope(states.Device), cancellation);
        try
        {
            slots = [sample, modelOutput, .. states.Rent(Slot.History(schedule.HistorySlots).Index - 2, sample.Shape)];
            SchedulerStep[] programs =
                [.. Enumerable.Range(schedule.BeginIndex, schedule.Timesteps.Count - schedule.BeginIndex).Select(schedule.Step)];
            steps = [.. programs.Select(program => program.Instructions.Select(Bind).ToArray())];
            previews = withPreviews ? [.. programs.Select(program => program.Preview.Select(Bind).ToArray())] : [];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Tensor for fresh noise [n, h, w, c], which the caller fills before a step that needs it.</summary>
    public Tensor Noise => slots[Slot.Noise.Index];

    /// <summary>Runs the program of the n-th evaluation of this run.</summary>
    public void Run(int evaluation)
    {
        foreach (var launch in steps[evaluation]) launch.Run();
    }

    /// <summary>
    /// Computes the predicted clean latents of the n-th evaluation; call it before <see cref="Run"/>.
    /// </summary>
    /// <returns>Where they are; the latents themselves for a scheduler that does not predict them.</returns>
    public Tensor RunPreview(int evaluation)
    {
        foreach (var launch in previews[evaluation]) launch.Run();
        return slots[(previews[evaluation].Length > 0 ? Slot.Denoised : Slot.Sample).Index];
    }

    /// <summary>Frees the coefficients.</summary>
    public void Dispose() => scope.Dispose();

    private Launch Bind(SchedulerInstruction instruction)
    {
        var target = slots[instruction.Target.Index];
        return instruction switch
        {
            LinearCombinationInstruction { Terms: [] } => Bind(new Clamp(0, 0), [target], target),
            LinearCombinationInstruction { Terms: var terms } => Combine([.. terms.OrderBy(t => t.Slot != instruction.Target)], target),
            ClampInstruction clamp => Bind(new Clamp(clamp.Low, clamp.High), [target], target),
            DynamicThresholdInstruction threshold => Bind(new DynamicThreshold(threshold.Ratio, threshold.Maximum), [target], target),
            _ => throw new InvalidOperationException($"No kernel runs '{instruction}'."),
        };
    }

    /// <summary>The kernel may overwrite its first argument only, so a target that is among the terms comes first.</summary>
    private Launch Combine(Term[] terms, Tensor target) => Bind(new LinearCombination(),
        [.. terms.Select(t => slots[t.Slot.Index]), Coefficients([.. terms.Select(t => (float)t.Coefficient)])], target);

    private Launch Bind(Op op, Tensor[] inputs, Tensor output) => scope.Bind(op, inputs, output, cancellation);

    private Tensor Coefficients(float[] values) => scope.Upload(values, [values.Length]);
}
