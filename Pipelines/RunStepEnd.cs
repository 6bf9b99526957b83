using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>A run's state as a request's step hook sees it; one object for all steps.</summary>
internal sealed class RunStepEnd(DenoisingRun run, ResolvedRequest form) : StepEnd
{
    private int index;
    private double guidanceScale = form.GuidanceScale;

    public override int Step => index - form.Schedule.Begin;

    public override int Steps => form.Schedule.End - form.Schedule.Begin;

    public override double Timestep => form.Schedule.Schedule.Timesteps[index];

    public override double GuidanceScale
    {
        get => guidanceScale;
        set
        {
            if (!double.IsFinite(value)) throw new ArgumentOutOfRangeException(nameof(value), value, "It must be a finite number.");
            guidanceScale = value;
            run.Model.SetGuidanceScale(value);
        }
    }

    /// <summary>Whether the hook has ended the run.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Calls the hook after an evaluation.</summary>
    public void Call(int evaluation)
    {
        index = evaluation;
        form.Request.OnStepEnd!(this);
    }

    public override Latents ReadLatents() => run.ReadLatents();

    public override void WriteLatents(Latents latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        var shape = run.Latents.Shape;
        string expected = $"[{shape[0]}, {shape[3]}, {shape[1]}, {shape[2]}]";
        if (latents.Shape != expected || latents.Values.Length != shape.Count)
            throw new ArgumentException($"The latents are {latents.Shape} with {latents.Values.Length} values; they must be {expected}.",
                nameof(latents));
        run.SetLatents(latents.Values, 1);
    }

    public override void Stop() => Stopped = true;
}
