using System.Collections.Immutable;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A way to compute a GEMM.</summary>
/// <param name="Name">Name of the kernel variants.</param>
/// <param name="Launches">The launches, with their scratch memory.</param>
/// <param name="ScratchBytes">Scratch bytes.</param>
/// <param name="SupportsDevice">The devices that it is meant for.</param>
/// <param name="SupportsSize">The sizes that it supports.</param>
internal sealed record GpuGemmVariant(
    string Name, Func<GpuGemm, Tensor?, IEnumerable<LaunchSpecification>> Launches, Func<GemmSize, long> ScratchBytes,
        Func<Device, bool> SupportsDevice, Func<GemmSize, bool> SupportsSize)
{
    /// <summary>Tuning parameters.</summary>
    public ImmutableArray<TuningParameter> Parameters { get; init; } = [];

    /// <summary>Settings that a device can use for a GEMM.</summary>
    public Func<Device, GemmSize, KernelSettings, bool> Allows { get; init; } = static (_, _, _) => true;

    /// <summary>Settings used without tuning.</summary>
    public Func<Device, GemmSize, KernelSettings> Start { get; init; } = static (_, _) => KernelSettings.Default;
}

/// <summary>Sizes of one GEMM.</summary>
/// <param name="Rows">Rows of the result.</param>
/// <param name="Columns">Rows of the weight: for a gated GEMM twice the result's columns.</param>
/// <param name="Depth">Channels: elements of one kernel position.</param>
/// <param name="KernelPositions">Kernel positions of the filter.</param>
/// <param name="Weight">Storage type of the weights.</param>
/// <param name="IsPlain">Whether it is neither gated nor a convolution.</param>
/// <param name="IsGated">Whether it is gated.</param>
internal readonly record struct GemmSize(int Rows, int Columns, int Depth, int KernelPositions, DType Weight, bool IsPlain = true,
    bool IsGated = false)
{
    /// <summary>Tuning settings of the kernels.</summary>
    public KernelSettings Settings { get; init; } = KernelSettings.Default;

    /// <summary>Whether packed weights are kept.</summary>
    public bool KeepsPacked { get; init; }

    /// <summary>Whether filters are already stored as [co, kernel positions, ci].</summary>
    public bool KernelPositionsFirst { get; init; }

    /// <summary>The sizes of y = x·wᵀ in a signature.</summary>
    public static GemmSize Of(OpSignature signature, int weight = 1, bool isPlain = true, bool isGated = false)
    {
        Shape w = signature.Inputs[weight].Concrete();
        return new(signature.Output.Concrete().Rows, w[0], w[1], w.Rank == 4 ? w[2] * w[3] : 1, signature.Inputs[weight].DType,
            isPlain && !isGated, isGated)
        {
            Settings = signature.Settings,
            KeepsPacked = signature.KeepsPacked,
            KernelPositionsFirst = signature.KernelPositionsFirst,
        };
    }
}
