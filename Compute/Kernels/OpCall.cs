using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>An op with the types of its arguments, every size a number: what kernel choice depends on.</summary>
/// <param name="Op">What to compute.</param>
/// <param name="Inputs">Types of the arguments.</param>
/// <param name="Output">Type of the result.</param>
public sealed record OpSignature(Op Op, TensorType[] Inputs, TensorType Output)
{
    /// <summary>How the kernel at hand is set; kernels read it, callers leave it alone (<see cref="KernelCache.Get(OpSignature)"/>).</summary>
    public KernelSettings Settings { get; init; } = KernelSettings.Default;

    /// <summary>Whether calls will have <see cref="OpCall.Packed"/>: working memory for packing weights is not needed then.</summary>
    public bool KeepsPacked { get; init; }

    /// <summary>Whether calls will have <see cref="OpCall.KernelPositionsFirst"/>.</summary>
    public bool KernelPositionsFirst { get; init; }
}

/// <summary>An op with its arguments' memory: what a kernel is bound to.</summary>
/// <param name="Device">Where it runs.</param>
/// <param name="Op">What to compute.</param>
/// <param name="Inputs">The arguments.</param>
/// <param name="Output">Where the result goes; overlaps no input unless the op allows it.</param>
/// <param name="Scratch">Working memory of the size that <see cref="Kernel.ScratchBytes"/> asked for, or null when none.</param>
public sealed record OpCall(Device Device, Op Op, Tensor[] Inputs, Tensor Output, Tensor? Scratch = null) : ILaunchSubject
{
    string ILaunchSubject.Name => Op.Name;

    string ILaunchSubject.Operands => $"{string.Join(", ", Inputs.Select(i => i.ToString()))} → {Output}";

    /// <summary>How the kernel at hand is set.</summary>
    public KernelSettings Settings { get; init; } = KernelSettings.Default;

    /// <summary>Where kernels keep packed weights; null where they are to leave them as they are stored and pack them in every run.</summary>
    public PackedWeights? Packed { get; init; }

    /// <summary>Whether a convolution's filters lie as [co, kh, kw, ci], the order in which images are read, although their shape says [co, ci, kh, kw]: GPUs' copies of weights are made so.</summary>
    public bool KernelPositionsFirst { get; init; }

    /// <summary>
    /// Obeyed while binding waits for a kernel that is being compiled (<see cref="Kernel.Bind"/>). What <see cref="Kernel.Prepare"/> put into
    /// the queue for it, and for nobody else, is left out then.
    /// </summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Whether weights are to be kept packed in forms that take several times their memory, too: Winograd's transforms.</summary>
    public bool PacksTransforms { get; init; }
}
