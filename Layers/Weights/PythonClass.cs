namespace ILGpuDiffusion.Layers.Weights;

/// <summary>Names of Python classes in a model's index.</summary>
internal static class PythonClass
{
    private const string Flax = "Flax";

    /// <summary>The PyTorch class of a name, as diffusers takes it: FlaxUNet2DConditionModel is UNet2DConditionModel.</summary>
    public static string WithoutFlax(string name) => name.StartsWith(Flax, StringComparison.Ordinal) ? name[Flax.Length..] : name;
}
