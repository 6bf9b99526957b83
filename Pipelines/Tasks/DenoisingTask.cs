using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Denoisers;

namespace ILGpuDiffusion.Pipelines.Tasks;

/// <summary>How a run begins, what is added to the model's inputs, and what is done after a step.</summary>
internal abstract class DenoisingTask
{
    /// <summary>Inputs of the model beside its conditioning, by name: tensors [n, h, w, c].</summary>
    public virtual IReadOnlyDictionary<string, Tensor> Inputs => new Dictionary<string, Tensor>();

    /// <summary>Sets the start latents, and what is done after each step.</summary>
    public abstract void Begin(DenoisingRun run);

    /// <summary>The task that a request describes. It draws its noise in diffusers' order.</summary>
    public static DenoisingTask Of(TaskContext context) =>
        context.Request.MaskImage is not null ? new Inpainting(context)
        : context.Request.InitImage is not null ? new ImageToImage(context)
        : new TextToImage(context);
}
