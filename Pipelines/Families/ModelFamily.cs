using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>
/// A family of models: which components it has and how they work together. <see cref="FamilyCatalog"/> lists the families; an application
/// can register its own.
/// </summary>
public abstract class ModelFamily
{
    /// <summary>The family's name, for people.</summary>
    public abstract string Name { get; }

    /// <summary>The pipeline classes of diffusers whose models are of this family, as <c>_class_name</c> of model_index.json.</summary>
    public abstract IReadOnlyList<string> PipelineClasses { get; }

    /// <summary>Whether diffusers' pipeline class corrects the configurations of folders written before its version 0.9.</summary>
    public virtual bool RepairsOldConfigs => false;

    /// <summary>The family's single-file layouts.</summary>
    internal virtual IReadOnlyList<SingleFileLayout> Files => [];

    /// <summary>Loads a model. What the loader makes is freed with the pipeline.</summary>
    /// <exception cref="ModelFileException">A component is missing, damaged or not supported, or components do not belong
    /// together.</exception>
    public abstract DiffusionModel Load(ComponentLoader components);
}
