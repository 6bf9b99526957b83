using ILGpuDiffusion.Pipelines.Checkpoints;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>Stable Diffusion XL, base and refiner.</summary>
internal sealed class StableDiffusionXLFamily : ModelFamily
{
    public override string Name => "Stable Diffusion XL";

    public override IReadOnlyList<string> PipelineClasses { get; } =
        ["StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline"];

    internal override IReadOnlyList<SingleFileLayout> Files => StableDiffusionXlFiles.Layouts;

    public override DiffusionModel Load(ComponentLoader components) => new StableDiffusionXLModel(components);
}
