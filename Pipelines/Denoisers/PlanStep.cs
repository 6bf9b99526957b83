using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Guidance;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>A step of one plan of a <see cref="PredictionTrace"/>: its inputs and outputs are the scheduler's, so no latents are
/// copied.</summary>
internal sealed class PlanStep : StepModel
{
    private readonly Device device;
    private readonly Plan plan;
    private readonly bool guided;
    private readonly Tensor inputScale, timestep;
    private readonly float[] scale = new float[1], times, guidance = new float[2];

    /// <summary>Sets what stays the same for all steps.</summary>
    /// <param name="plan">The plan; disposed with the step.</param>
    /// <param name="device">Where it runs.</param>
    /// <param name="options">The graph's options.</param>
    /// <param name="setup">Conditioning and guidance.</param>
    /// <param name="cancellation">Cancels the compilation of kernels.</param>
    public PlanStep(Plan plan, Device device, PredictionOptions options, StepSetup setup, CancellationToken cancellation)
    {
        (this.plan, this.device, guided) = (plan, device, options.Guided);
        (Latents, Prediction) = (plan.Input(PredictionTrace.LatentsInput), plan.Output(PredictionTrace.Prediction));
        (inputScale, timestep) = (plan.Input(PredictionTrace.ScaleInput), plan.Input(PredictionTrace.TimestepInput));
        times = new float[timestep.Shape.Count];
        using var scope = new DeviceScope(device);
        foreach (var (name, entries) in setup.Inputs)
        {
            var target = plan.Input(name);
            scope.Join(0, [.. entries.Select(entry => entry.Reshape(Shape.Create([entry.Shape[0], .. target.Shape.Sizes[1..]])))], target,
                cancellation);
        }

        SetGuidanceScale(setup.GuidanceScale);
        if (options is { Guided: true, Rescaled: true })
            device.Upload(MemoryMarshal.AsBytes([(float)setup.GuidanceRescale]), plan.Input(ClassifierFreeGuidance.RescaleInput));
    }

    public override Tensor Latents { get; }

    public override Tensor Prediction { get; }

    public override long ArenaBytes => plan.ArenaBytes;

    public override int LaunchCount => plan.LaunchCount;

    public override void Predict(double timestep, double inputScale, CancellationToken cancellation)
    {
        Fill(this.inputScale, scale, inputScale);
        Fill(this.timestep, times, timestep);
        plan.Run(cancellation);
    }

    public override void SetGuidanceScale(double scale)
    {
        if (!guided) return;
        (guidance[0], guidance[1]) = ClassifierFreeGuidance.Coefficients(scale);
        device.Upload(MemoryMarshal.AsBytes(guidance.AsSpan()), plan.Input(ClassifierFreeGuidance.Input));
    }

    protected override void Dispose(bool disposing) => plan.Dispose();

    private void Fill(Tensor target, float[] staging, double value)
    {
        Array.Fill(staging, (float)value);
        device.Upload(MemoryMarshal.AsBytes(staging.AsSpan()), target);
    }
}
