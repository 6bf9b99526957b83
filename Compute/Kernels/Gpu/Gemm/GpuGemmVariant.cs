using System.Collections.Immutable;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A way to compute a product.</summary>
/// <param name="Name">The variants' name.</param>
/// <param name="Launches">Its launches, with working memory.</param>
/// <param name="ScratchBytes">How much working memory.</param>
/// <param name="SupportsDevice">The devices that it is for.</param>
/// <param name="SupportsSize">The sizes that it can do.</param>
internal sealed record GpuGemmVariant(
    string Name, Func<GpuGemm, Tensor?, IEnumerable<LaunchSpecification>> Launches, Func<GemmSize, long> ScratchBytes, Func<Device, bool> SupportsDevice, Func<GemmSize, bool> SupportsSize)
{
    /// <summary>What can be set about it.</summary>
    public ImmutableArray<TuningParameter> Parameters { get; init; } = [];

    /// <summary>Which settings a device can use for a product.</summary>
    public Func<Device, GemmSize, KernelSettings, bool> Allows { get; init; } = static (_, _, _) => true;

    /// <summary>What holds without measuring.</summary>
    public Func<Device, GemmSize, KernelSettings> Start { get; init; } = static (_, _) => KernelSettings.Default;
}

/// <summary>Sizes of one product.</summary>
/// <param name="Rows">Rows of the result.</param>
/// <param name="Columns">Rows of the weight: for a gated product twice the result's columns.</param>
/// <param name="Depth">Elements of one position.</param>
/// <param name="KernelPositions">Places of the filter.</param>
/// <param name="Weight">How weights are stored.</param>
/// <param name="IsPlain">Whether it is neither gated nor a convolution.</param>
/// <param name="IsGated">Whether it is gated.</param>
internal readonly record struct GemmSize(int Rows, int Columns, int Depth, int KernelPositions, DType Weight, bool IsPlain = true, bool IsGated = false)
{
    /// <summary>How the kernels are set.</summary>
    public KernelSettings Settings { get; init; } = KernelSettings.Default;

    /// <summary>Whether packed weights are kept.</summary>
    public bool KeepsPacked { get; init; }

    /// <summary>Whether filters already lie in the order in which images are read.</summary>
    public bool KernelPositionsFirst { get; init; }

    /// <summary>Of y = x·wᵀ in a signature.</summary>
    public static GemmSize Of(OpSignature signature, int weight = 1, bool isPlain = true, bool isGated = false)
    {
        Shape w = signature.Inputs[weight].Concrete();
        return new(signature.Output.Concrete().Rows, w[0], w[1], w.Rank == 4 ? w[2] * w[3] : 1, signature.Inputs[weight].DType, isPlain && !isGated, isGated)
        {
            Settings = signature.Settings,
            KeepsPacked = signature.KeepsPacked,
            KernelPositionsFirst = signature.KernelPositionsFirst,
        };
    }
}
