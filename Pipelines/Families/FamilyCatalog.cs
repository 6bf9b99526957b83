using System.Collections.Immutable;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>The families of models that can be loaded. Thread-safe.</summary>
public static class FamilyCatalog
{
    private static ImmutableArray<ModelFamily> families =
    [
        new StableDiffusionXLFamily(),
        new StableDiffusionFamily(),
    ];

    /// <summary>All families.</summary>
    public static IReadOnlyList<ModelFamily> Families => families;

    /// <summary>The layouts of single files, of all families; those recognised by more tensors come first.</summary>
    internal static IReadOnlyList<SingleFileLayout> Files => [.. families.SelectMany(family => family.Files)];

    /// <summary>Adds a family for the whole process.</summary>
    /// <exception cref="ArgumentException">A pipeline class of the family is another family's already.</exception>
    public static void Register(ModelFamily family)
    {
        ArgumentNullException.ThrowIfNull(family);
        ImmutableInterlocked.Update(ref families, known =>
            family.PipelineClasses.FirstOrDefault(name => Find(known, name) is not null) is { } taken
                ? throw new ArgumentException($"The pipeline class {taken} belongs to the family {Find(known, taken)!.Name}.",
                    nameof(family))
                : known.Add(family));
    }

    /// <summary>The family of a model.</summary>
    /// <exception cref="ModelFileException">No family has models of its pipeline class.</exception>
    public static ModelFamily Of(IModelSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Find(families, source.ClassName) ?? throw source.Index.Wrong("_class_name",
            string.Join(" or ", families.SelectMany(family => family.PipelineClasses)));
    }

    private static ModelFamily? Find(ImmutableArray<ModelFamily> families, string className) =>
        families.FirstOrDefault(family => family.PipelineClasses.Contains(className, StringComparer.Ordinal));
}
