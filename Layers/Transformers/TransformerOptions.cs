namespace ILGpuDiffusion.Layers.Transformers;

/// <summary>Options shared by the <see cref="Transformer2DModel"/>s of one UNet block.</summary>
/// <param name="Layers">Number of <see cref="BasicTransformerBlock"/>s in each.</param>
/// <param name="Heads">Number of attention heads; must divide the block's channels.</param>
/// <param name="CrossAttentionDim">Width of the prompt's tokens.</param>
/// <param name="NormGroups">Groups of the initial normalisation; must divide the block's channels.</param>
/// <param name="LinearProjection">Whether <c>proj_in</c> and <c>proj_out</c> are stored as linear layers (SD 2, SDXL) or as 1×1
/// convolutions (SD 1).</param>
public sealed record TransformerOptions(int Layers, int Heads, int CrossAttentionDim, int NormGroups, bool LinearProjection)
{
    /// <summary>The options of the block's n-th transformer.</summary>
    internal TransformerOptions At(IReadOnlyList<int>? layers, int index) => layers is null ? this : this with { Layers = layers[index] };
}
