using ILGpuDiffusion.Pipelines.Denoisers;

namespace ILGpuDiffusion.Pipelines.Tasks;

/// <summary>Begins with noise, or with given latents.</summary>
internal sealed class TextToImage(TaskContext context) : DenoisingTask
{
    public override void Begin(DenoisingRun run)
    {
        var request = context.Request;
        double factor = request.DenoisingStart is null ? context.Schedule.InitNoiseSigma : 1;
        run.SetLatents(request.Latents?.Values ?? context.Draw(), factor);
    }
}
