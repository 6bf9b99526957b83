using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Denoisers;

namespace ILGpuDiffusion.Pipelines.Tasks;

/// <summary>
/// Redraws the masked part of an image. A UNet made for it reads mask and masked image; with any other, the rest of the image is put back
/// after every step, with the noise of that step.
/// </summary>
/// <remarks>Lugmayr et al., 2022 (arXiv:2201.09865), without resampling. Follows diffusers' StableDiffusionInpaintPipeline.</remarks>
internal sealed class Inpainting : DenoisingTask
{
    private readonly TaskContext context;
    private readonly bool blends, fromNoise;
    private readonly Tensor noise, mask;
    private readonly Tensor? image;

    public Inpainting(TaskContext context)
    {
        this.context = context;
        var (scope, images) = (context.Scope, context.Images!);
        blends = !context.Images!.ModelReadsMask;
        fromNoise = context.Request.Strength >= 1;
        // diffusers' order of random numbers: image, noise, masked image (which does not reach the result when blending)
        if (blends || !fromNoise) image = context.Encode(images.Initial);
        noise = context.Upload(context.Draw());
        var masked = context.Encode(images.Masked);
        int height = context.Shape[1], width = context.Shape[2];
        mask = scope.Upload(images.LatentMask(height, width), [1, height, width, 1]);
        if (!blends)
            Inputs = new Dictionary<string, Tensor> { [UNetPrediction.Mask] = Repeat(mask), [UNetPrediction.MaskedImage] = masked };
    }

    public override IReadOnlyDictionary<string, Tensor> Inputs { get; } = new Dictionary<string, Tensor>();

    public override void Begin(DenoisingRun run)
    {
        var (schedule, scope) = (context.Schedule, context.Scope);
        var (signal, sigma) = fromNoise ? (0, schedule.InitNoiseSigma) : schedule.AddNoise(schedule.BeginIndex);
        Noised(signal, sigma, run.Latents).Run();
        if (!blends) return;

        var keep = scope.Allocate(DType.Float32, mask.Shape);
        scope.Bind(new Affine(-1, 1), [mask], keep, context.Cancellation).Run();
        var kept = scope.Allocate(DType.Float32, context.Shape);
        run.AfterStep = [.. Enumerable.Range(schedule.BeginIndex + 1, schedule.Timesteps.Count - schedule.BeginIndex).Select(next =>
        {
            (signal, sigma) = next < schedule.Timesteps.Count ? schedule.AddNoise(next) : (1, 0);
            return new Launch[]
            {
                Noised(signal, sigma, kept),
                Bind(BinaryFunction.Multiply, kept, keep),
                Bind(BinaryFunction.Multiply, run.Latents, mask),
                Bind(BinaryFunction.Add, run.Latents, kept),
            };
        })];

        Launch Bind(BinaryFunction function, Tensor target, Tensor other) =>
            scope.Bind(new Binary(function), [target, other], target, context.Cancellation);
    }

    /// <summary>target = signal · image + sigma · noise.</summary>
    private Launch Noised(double signal, double sigma, Tensor target) => context.Scope.Bind(new LinearCombination(),
        image is null ? [noise, context.Scope.Upload([(float)sigma], [1])]
            : [image, noise, context.Scope.Upload([(float)signal, (float)sigma], [2])], target, context.Cancellation);

    private Tensor Repeat(Tensor one)
    {
        int count = context.Shape[0];
        if (count == 1) return one;
        var all = context.Scope.Allocate(DType.Float32, [count, one.Shape[1], one.Shape[2], 1]);
        context.Scope.Join(0, [.. Enumerable.Repeat(one, count)], all, context.Cancellation);
        return all;
    }
}
