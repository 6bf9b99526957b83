using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// The denoising loop of one request: a rented plan whose input and output are the scheduler's sample and model output, so that a step
/// copies no latents. After construction nothing is allocated, and nothing is read back unless the caller reads the latents. Where they are
/// in host memory, every step checks that they are finite.
/// </summary>
internal sealed class DenoisingRun : IDisposable
{
    private const int StepsAhead = 2; // one running, one queued
    private readonly Device device;
    private readonly Plan plan;
    private readonly Schedule schedule;
    private readonly StepLauncher launcher;
    private readonly NoiseSource noise;
    private readonly InFlightLimiter pace;
    private readonly Tensor latents, inputScale, timestep;
    private readonly float[] nchw, nhwc, scale = new float[1], times;

    /// <summary>Prepares the loop.</summary>
    /// <param name="plan">A plan of <c>GuidedDenoiser</c> with its conditions set; disposed with the run.</param>
    /// <param name="device">Where the plan runs.</param>
    /// <param name="schedule">Timesteps and step programs.</param>
    /// <param name="noise">Source of the samplers' noise.</param>
    /// <param name="cancellation">Cancels the compilation of the scheduler's kernels.</param>
    public DenoisingRun(Plan plan, Device device, Schedule schedule, NoiseSource noise, CancellationToken cancellation)
    {
        (this.plan, this.device, this.schedule, this.noise) = (plan, device, schedule, noise);
        latents = plan.Input("latents");
        (inputScale, timestep) = (plan.Input("input_scale"), plan.Input("timestep"));
        (nchw, nhwc) = (new float[latents.Shape.Count], new float[latents.Shape.Count]);
        times = new float[timestep.Shape.Count];
        pace = device.LimitInFlight(StepsAhead);
        launcher = new StepLauncher(device, schedule, latents, plan.Output("prediction"), cancellation);
    }

    /// <summary>The plan of the prediction.</summary>
    public Plan Plan => plan;

    /// <summary>Sets the latents, NCHW.</summary>
    /// <param name="values">Standard normal numbers, or latents.</param>
    /// <param name="factor">Multiplies each of them.</param>
    public void SetLatents(ReadOnlySpan<float> values, double factor)
    {
        for (int i = 0; i < nchw.Length; i++) nchw[i] = values[i] * (float)factor;
        Upload(nchw, latents);
    }

    /// <summary>Fills the latents with noise.</summary>
    /// <param name="factor">The scheduler's initial sigma.</param>
    public void SetNoise(double factor)
    {
        noise(nchw);
        SetLatents(nchw, factor);
    }

    /// <summary>One model evaluation and the scheduler's step after it.</summary>
    /// <param name="index">Number of the evaluation in the schedule.</param>
    /// <param name="cancellation">Checked before every kernel.</param>
    public void Step(int index, CancellationToken cancellation)
    {
        Fill(inputScale, scale, schedule.InputScale(index));
        Fill(timestep, times, schedule.Timesteps[index]);
        plan.Run(cancellation);
        if (schedule.Step(index).NeedsNoise)
        {
            noise(nchw);
            Upload(nchw, launcher.Noise);
        }

        launcher.Run(index - schedule.BeginIndex);
        pace.Step();
        if (device is CpuDevice && NotFinite.IndexIn(latents.Span<float>()) is >= 0 and var bad) BadValue = latents.Span<float>()[bad];
    }

    /// <summary>The first non-finite value in the latents after the last step, where they are in host memory; otherwise null.</summary>
    public float? BadValue { get; private set; }

    /// <summary>Reads the latents back, NCHW.</summary>
    public Latents ReadLatents()
    {
        var (n, h, w, c) = Sizes;
        device.Download(latents, MemoryMarshal.AsBytes(nhwc.AsSpan()));
        float[] values = new float[nhwc.Length];
        Latents.ToNchw(nhwc, values, n, c, h * w);
        return new Latents(n, c, h, w, values);
    }

    /// <summary>Returns the plan and frees the scheduler's states.</summary>
    public void Dispose()
    {
        pace.Dispose();
        launcher.Dispose();
        plan.Dispose();
    }

    private (int N, int H, int W, int C) Sizes => (latents.Shape[0], latents.Shape[1], latents.Shape[2], latents.Shape[3]);

    private void Upload(ReadOnlySpan<float> values, Tensor target)
    {
        var (n, h, w, c) = Sizes;
        Latents.ToNhwc(values, nhwc, n, c, h * w);
        device.Upload(MemoryMarshal.AsBytes(nhwc.AsSpan()), target);
    }

    private void Fill(Tensor target, float[] staging, double value)
    {
        Array.Fill(staging, (float)value);
        device.Upload(MemoryMarshal.AsBytes(staging.AsSpan()), target);
    }
}
