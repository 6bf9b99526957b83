using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// The denoising loop of one request: a step model whose latents and prediction are the scheduler's sample and model output, so that a step
/// copies no latents. After construction nothing is allocated, and nothing is read back unless the caller reads the latents. Where they are
/// in host memory, every step checks that they are finite.
/// </summary>
internal sealed class DenoisingRun : IDisposable
{
    private const int StepsAhead = 2; // one running, one queued
    private readonly Device device;
    private readonly StepModel model;
    private readonly Schedule schedule;
    private readonly StepLauncher launcher;
    private readonly NoiseSource noise;
    private readonly InFlightLimiter limiter;
    private readonly bool previews;
    private readonly DenoisingContexts.Lease lease;
    private readonly LatentStaging staging;

    /// <summary>Prepares the loop.</summary>
    /// <param name="model">The step model, with its conditioning set; disposed with the run.</param>
    /// <param name="lease">Memory; returned with the run.</param>
    /// <param name="schedule">Timesteps and step programs.</param>
    /// <param name="noise">Source of the samplers' noise.</param>
    /// <param name="withPreviews">Whether the caller reads <see cref="Preview"/>.</param>
    /// <param name="cancellation">Cancels the compilation of the scheduler's kernels.</param>
    public DenoisingRun(StepModel model, DenoisingContexts.Lease lease, Schedule schedule, NoiseSource noise, bool withPreviews,
        CancellationToken cancellation)
    {
        (this.model, this.lease, this.schedule, this.noise) = (model, lease, schedule, noise);
        (device, staging) = (lease.Context.Device, lease.Context.Staging);
        limiter = device.LimitInFlight(StepsAhead);
        try
        {
            staging.Fit(Latents.Shape);
            launcher = new StepLauncher(lease.Context.States, schedule, Latents, model.Prediction, withPreviews, cancellation);
        }
        catch
        {
            limiter.Dispose();
            lease.Dispose();
            throw; // the model is still the caller's
        }

        (previews, Preview) = (withPreviews, Latents);
    }

    /// <summary>The step model.</summary>
    public StepModel Model => model;

    /// <summary>The latents on the device, [n, h, w, c].</summary>
    public Tensor Latents => model.Latents;

    /// <summary>The clean latents that the last step predicts, [n, h, w, c]; valid until the next step.</summary>
    public Tensor Preview { get; private set; }

    /// <summary>
    /// What is done to the latents after the scheduler's step of each evaluation, from the schedule's first on; empty for nothing.
    /// </summary>
    public Launch[][] AfterStep { get; set; } = [];

    /// <summary>The first non-finite value in the latents after the last step, where they are in host memory; otherwise null.</summary>
    public float? BadValue { get; private set; }

    /// <summary>Sets the latents, NCHW.</summary>
    /// <param name="values">Standard normal numbers, or latents.</param>
    /// <param name="factor">Multiplies each of them.</param>
    public void SetLatents(ReadOnlySpan<float> values, double factor)
    {
        var scaled = staging.Nchw(Latents.Shape);
        for (int i = 0; i < scaled.Length; i++) scaled[i] = values[i] * (float)factor;
        staging.Upload(device, Latents);
    }

    /// <summary>One model evaluation, the scheduler's step after it, and the task's.</summary>
    /// <param name="index">Number of the evaluation in the schedule.</param>
    /// <param name="cancellation">Checked before every kernel.</param>
    public void Step(int index, CancellationToken cancellation)
    {
        model.Predict(schedule.Timesteps[index], schedule.InputScale(index), cancellation);
        if (schedule.Step(index).NeedsNoise)
        {
            noise(staging.Nchw(Latents.Shape));
            staging.Upload(device, launcher.Noise);
        }

        int evaluation = index - schedule.BeginIndex;
        if (previews) Preview = launcher.RunPreview(evaluation);
        launcher.Run(evaluation);
        if (evaluation < AfterStep.Length)
            foreach (var launch in AfterStep[evaluation]) launch.Run();
        limiter.Step();
        if (device.ReadsHostMemory && NotFinite.IndexIn(Latents.Span<float>()) is >= 0 and var bad) BadValue = Latents.Span<float>()[bad];
    }

    /// <summary>Reads the latents back, NCHW.</summary>
    public Latents ReadLatents() => staging.Download(device, Latents);

    /// <summary>A copy of the latents that outlives the run.</summary>
    public Tensor CopyLatents(DeviceScope scope, CancellationToken cancellation)
    {
        var copy = scope.Allocate(Latents.DType, Latents.Shape);
        scope.Copy(Latents, copy, cancellation);
        return copy;
    }

    /// <summary>Returns the memory.</summary>
    public void Dispose()
    {
        limiter.Dispose();
        launcher.Dispose();
        model.Dispose();
        lease.Dispose();
    }
}
