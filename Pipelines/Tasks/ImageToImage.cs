using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Denoisers;

namespace ILGpuDiffusion.Pipelines.Tasks;

/// <summary>Begins with an image and as much noise as the schedule has where the run begins.</summary>
/// <remarks>Meng et al., 2021 (arXiv:2108.01073). Follows diffusers' StableDiffusionImg2ImgPipeline.</remarks>
internal sealed class ImageToImage(TaskContext context) : DenoisingTask
{
    public override void Begin(DenoisingRun run)
    {
        var image = context.Encode(context.Images!.Initial);
        var scope = context.Scope;
        if (context.Request.DenoisingStart is not null) // the image is taken as one whose noise another model has not removed yet
        {
            scope.Copy(image, run.Latents, context.Cancellation);
            return;
        }

        var noise = context.Upload(context.Draw());
        var (signal, sigma) = context.Schedule.AddNoise(context.Schedule.BeginIndex);
        Tensor coefficients = scope.Upload([(float)signal, (float)sigma], [2]);
        scope.Bind(new LinearCombination(), [image, noise, coefficients], run.Latents, context.Cancellation).Run();
    }
}
