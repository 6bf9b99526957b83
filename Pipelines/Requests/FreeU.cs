using ILGpuDiffusion.Layers.Blocks;

namespace ILGpuDiffusion.Pipelines.Requests;

/// <summary>FreeU's factors (Si et al., 2023, arXiv:2309.11497) for the first two up blocks.</summary>
/// <param name="S1">Scale of the skip connection's low frequencies in the first block.</param>
/// <param name="S2">Scale of the skip connection's low frequencies in the second block.</param>
/// <param name="B1">Scale of half of the backbone's channels in the first block.</param>
/// <param name="B2">Scale of half of the backbone's channels in the second block.</param>
public sealed record FreeU(double S1, double S2, double B1, double B2)
{
    /// <summary>The factors of each block.</summary>
    internal FreeUScales[] Blocks => [new(S1, B1), new(S2, B2)];
}
