using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>The state of a run after a step; valid only during the call of <see cref="ImageRequest.OnStepEnd"/>.</summary>
public abstract class StepEnd
{
    private protected StepEnd() { }

    /// <summary>Number of the step in this run, from 0.</summary>
    public abstract int Step { get; }

    /// <summary>Number of steps in this run.</summary>
    public abstract int Steps { get; }

    /// <summary>The timestep that was evaluated.</summary>
    public abstract double Timestep { get; }

    /// <summary>The guidance scale; a new value counts from the next step on. Without effect where guidance is off.</summary>
    public abstract double GuidanceScale { get; set; }

    /// <summary>Reads the latents, NCHW; waits for the device.</summary>
    public abstract Latents ReadLatents();

    /// <summary>Replaces the latents.</summary>
    /// <exception cref="ArgumentException">Their shape is another.</exception>
    public abstract void WriteLatents(Latents latents);

    /// <summary>Ends the run after this step; the latents are decoded as they are.</summary>
    public abstract void Stop();
}
