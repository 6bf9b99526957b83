using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>An op with concrete types of its arguments: the input of kernel choice.</summary>
/// <param name="Op">What to compute.</param>
/// <param name="Inputs">Types of the arguments.</param>
/// <param name="Output">Type of the result.</param>
public sealed record OpSignature(Op Op, TensorType[] Inputs, TensorType Output)
{
    /// <summary>Settings of the chosen kernel, set by <see cref="KernelCache.Get(OpSignature)"/> and read by kernels.</summary>
    public KernelSettings Settings { get; init; } = KernelSettings.Default;

    /// <summary>Whether calls will have <see cref="OpCall.Packed"/>: no scratch memory for packing weights is needed then.</summary>
    public bool KeepsPacked { get; init; }

    /// <summary>How Float32 numbers are multiplied. Ops that multiply no matrices ignore it.</summary>
    public Float32Precision Float32Precision { get; init; }

    /// <summary>Whether calls will have <see cref="OpCall.KernelPositionsFirst"/>.</summary>
    public bool KernelPositionsFirst { get; init; }
}

/// <summary>An op with its arguments' memory, to which a kernel is bound.</summary>
/// <param name="Device">The device.</param>
/// <param name="Op">What to compute.</param>
/// <param name="Inputs">The arguments.</param>
/// <param name="Output">The result; overlaps no input unless the op allows it.</param>
/// <param name="Scratch">Scratch memory of <see cref="Kernel.ScratchBytes"/> bytes, or null if that is 0.</param>
public sealed record OpCall(Device Device, Op Op, Tensor[] Inputs, Tensor Output, Tensor? Scratch = null) : ILaunchSubject
{
    string ILaunchSubject.Name => Op.Name;

    string ILaunchSubject.Operands => $"{string.Join(", ", Inputs.Select(i => i.ToString()))} → {Output}";

    /// <summary>Settings of the chosen kernel.</summary>
    public KernelSettings Settings { get; init; } = KernelSettings.Default;

    /// <summary>Cache of packed weights; null to pack weights in every run.</summary>
    public PackedWeights? Packed { get; init; }

    /// <summary>
    /// Whether a convolution's filters are stored as [co, kh, kw, ci], the order in which kernels read images, although their shape says
    /// [co, ci, kh, kw]. GPU weights are uploaded in this order.
    /// </summary>
    public bool KernelPositionsFirst { get; init; }

    /// <summary>
    /// Cancels binding while it waits for a kernel to be compiled (<see cref="Kernel.Bind"/>). Compilations that
    /// <see cref="Kernel.Prepare"/> queued for this call only are dropped then.
    /// </summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Whether packed weights may take several times the memory of the stored ones: Winograd transforms.</summary>
    public bool PacksTransforms { get; init; }
}
