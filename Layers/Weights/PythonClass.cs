namespace ILGpuDiffusion.Layers.Weights;

/// <summary>Names of Python classes in a model's index.</summary>
internal static class PythonClass
{
    private const string Flax = "Flax";

    /// <summary>The PyTorch class for a name, as in diffusers: FlaxUNet2DConditionModel becomes UNet2DConditionModel.</summary>
    public static string WithoutFlax(string name) => name.StartsWith(Flax, StringComparison.Ordinal) ? name[Flax.Length..] : name;
}
