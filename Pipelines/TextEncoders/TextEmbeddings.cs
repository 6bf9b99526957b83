using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>Prompt embeddings of a text encoder, on the device, Float32.</summary>
/// <param name="Hidden">The token embeddings, [prompts, tokens, width].</param>
/// <param name="Pooled">One embedding per prompt, [prompts, pooled width]; null when none was requested.</param>
internal sealed record TextEmbeddings(Tensor Hidden, Tensor? Pooled)
{
    /// <summary>A copy that another scope owns.</summary>
    public TextEmbeddings CopyTo(DeviceScope scope, CancellationToken cancellation)
    {
        return new(Copy(Hidden), Pooled is null ? null : Copy(Pooled));

        Tensor Copy(Tensor source)
        {
            var target = scope.Allocate(source.DType, source.Shape);
            scope.Copy(source, target, cancellation);
            return target;
        }
    }
}
