using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A compiled kernel. It supports any sizes and can be bound to arguments any number of times.</summary>
public abstract class Kernel
{
    /// <summary>Scratch memory of one launch, in bytes.</summary>
    public virtual long ScratchBytes(OpSignature signature) => 0;

    /// <summary>
    /// Starts in the background what <see cref="Bind"/> would wait for, such as compilation. Returns immediately; a failure is reported
    /// when arguments are bound. The call's tensors need no memory, only types, shapes and offsets.
    /// </summary>
    public virtual void Prepare(OpCall call) { }

    /// <summary>
    /// Least distance in bytes by which a result must begin before its first (contiguous) argument so that the kernel can overwrite the
    /// argument while reading it; null if they must not overlap. A launch detects such an overlap itself.
    /// </summary>
    public virtual long? OverlapLead(OpSignature signature) => null;

    /// <summary>Binds arguments, whose shapes the op's <see cref="Op.Infer"/> has checked.</summary>
    /// <exception cref="OperationCanceledException"><see cref="OpCall.Cancellation"/> was cancelled while a kernel was being
    /// compiled.</exception>
    public abstract Launch Bind(OpCall call);
}
