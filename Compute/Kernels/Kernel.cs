using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A compiled kernel: takes any sizes, and is bound to arguments as often as needed.</summary>
public abstract class Kernel
{
    /// <summary>Working memory that one launch needs beside its arguments, in bytes.</summary>
    public virtual long ScratchBytes(OpSignature signature) => 0;

    /// <summary>
    /// Begins in the background what <see cref="Bind"/> would have to wait for, such as compiling. Returns at once; a failure shows when arguments are bound.
    /// The call's tensors need no memory behind them, only their types and places.
    /// </summary>
    public virtual void Prepare(OpCall call) { }

    /// <summary>
    /// How many bytes before its first argument, contiguous as it is, a result must begin to be written over it by a kernel that reads the argument meanwhile; null where they must
    /// not overlap. A launch sees where its arguments lie, and takes care by itself.
    /// </summary>
    public virtual long? OverlapLead(OpSignature signature) => null;

    /// <summary>Binds arguments. Sizes were checked by the op's <see cref="Op.Infer"/> before.</summary>
    /// <exception cref="OperationCanceledException"><see cref="OpCall.Cancellation"/> was cancelled while a kernel was being compiled.</exception>
    public abstract Launch Bind(OpCall call);
}
