using ILGpuDiffusion.Pipelines.Checkpoints;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>Stable Diffusion 1.x and 2.x.</summary>
internal sealed class StableDiffusionFamily : ModelFamily
{
    public override string Name => "Stable Diffusion";

    public override IReadOnlyList<string> PipelineClasses { get; } =
        ["StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline"];

    public override bool RepairsOldConfigs => true;

    internal override IReadOnlyList<SingleFileLayout> Files => StableDiffusionFiles.Layouts;

    public override DiffusionModel Load(ComponentLoader components) => new StableDiffusionModel(components);
}
