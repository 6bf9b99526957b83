using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>The implementation of attention that a device takes, and why.</summary>
/// <param name="Backend">The implementation, never <see cref="AttentionBackend.Auto"/>.</param>
/// <param name="Kernel">Its kernel variant, such as <c>cuda/tensor-cores</c>.</param>
/// <param name="Reason">Why it was chosen.</param>
public sealed record AttentionChoice(AttentionBackend Backend, string Kernel, string Reason)
{
    private const int UsualTokens = 1024;

    /// <summary>What a device takes for self-attention over 1024 tokens.</summary>
    /// <param name="device">The device.</param>
    /// <param name="dtype">Element type of the activations.</param>
    /// <param name="headSize">Width of a head.</param>
    /// <param name="options">The requested implementation.</param>
    /// <exception cref="DeviceException">The device does not support the requested implementation; the message names those that it
    /// does.</exception>
    public static AttentionChoice For(Device device, DType dtype, int headSize = 64, AttentionOptions options = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        ShapeException.ThrowUnless(headSize > 0, "attention", "head size", headSize, "at least 1");
        var type = new TensorType(dtype, [1, UsualTokens, headSize]);
        var signature = new OpSignature(new ScaledDotProductAttention(1) { Options = options }, [type, type, type], type);
        return Of(device, signature, device.Kernels.Choose(signature))!;
    }

    /// <summary>The implementation that a kernel choice means; null if the call's op is not attention.</summary>
    /// <param name="device">The device.</param>
    /// <param name="signature">The call.</param>
    /// <param name="choice">The chosen kernel.</param>
    public static AttentionChoice? Of(Device device, OpSignature signature, KernelChoice choice)
    {
        if (signature?.Op is not ScaledDotProductAttention { Options: var options }) return null;
        string variant = choice.Variant.Name;
        var backend = AttentionVariants.BackendOf(variant);
        string why = options.Backend != AttentionBackend.Auto ? "requested"
            : signature.Op.Kernels.Choose(device, signature).Name != variant ? "the fastest when tuned"
            : backend == AttentionBackend.Flash ? "the first choice of those that the device supports"
            : WhyNot(device, signature, AttentionBackend.Flash) + (backend == AttentionBackend.Math
                ? $"; {WhyNot(device, signature, AttentionBackend.MemoryEfficient)}" : "");
        return new(backend, variant, $"{why}; {How(variant, options.Precise)}");
    }

    /// <summary>Why a device does not support a call with a chosen backend, and which backends it does support; null for other
    /// reasons.</summary>
    internal static string? WhyMissing(Device device, OpSignature signature)
    {
        var op = (ScaledDotProductAttention)signature.Op;
        var requested = op.Options.Backend;
        if (requested == AttentionBackend.Auto) return null;
        string[] others = [.. Enum.GetValues<AttentionBackend>().Where(b => b != AttentionBackend.Auto && b != requested
            && Supports(device, signature, b)).Select(NameOf)];
        if (others.Length == 0) return null; // no backend: the type is the reason
        return $"attention: {NameOf(requested)} does not support heads of {LargestHead(signature)} in {signature.Inputs[0].DType} for "
            + $"{signature.Inputs[0]} and {signature.Inputs[1]} on {device.Id}: {WhyNot(device, signature, requested)}. Choose "
            + $"{string.Join(" or ", others)}, or auto.";
    }

    /// <summary>A backend's name on the command line: <c>memory-efficient</c>.</summary>
    internal static string NameOf(AttentionBackend backend) => backend switch
    {
        AttentionBackend.Auto => "auto",
        AttentionBackend.Flash => "flash",
        AttentionBackend.MemoryEfficient => "memory-efficient",
        _ => "math",
    };

    private static int LargestHead(OpSignature signature) =>
        Math.Max(signature.Inputs[0].Concrete().Last, signature.Inputs[2].Concrete().Last)
            / ((ScaledDotProductAttention)signature.Op).Heads;

    private static bool Supports(Device device, OpSignature signature, AttentionBackend backend)
    {
        var op = (ScaledDotProductAttention)signature.Op;
        return op.Kernels.Candidates(device, signature with { Op = op with { Options = op.Options with { Backend = backend } } }).Any();
    }

    private static string WhyNot(Device device, OpSignature signature, AttentionBackend backend) => backend switch
    {
        AttentionBackend.Flash => $"flash's tiles need {TiledAttention.LocalBytes} bytes of local memory and groups of "
            + $"{TiledAttention.GroupSize}, and the device has {((GpuDevice)device).Target.LocalMemoryBytes} and "
            + $"{((GpuDevice)device).Target.MaxGroupSize}",
        AttentionBackend.Math => $"the scores of one head need {MathShape.Of(signature).Bytes / 1048576} MiB, and the most is "
            + $"{MathAttention.MostBytes / 1048576} MiB",
        _ => "the chunks of this many queries and heads need more than 2 GiB",
    };

    private static string How(string variant, bool precise)
    {
        const string Rounded = "weights rounded to 16 bits, as in FlashAttention", Exact = "weights in exact parts";
        if (variant == AttentionGpu.LargeHeads || variant == MatrixUnitVariant.TensorCores.Name)
            return $"tensor cores, {(precise ? Exact : Rounded)}";
        if (variant == MatrixUnitVariant.SubGroups.Name) return $"matrix instructions, {(precise ? Exact : Rounded)}";
        return AttentionVariants.BackendOf(variant) switch
        {
            AttentionBackend.Math => "scores in full, by GEMMs in float32",
            AttentionBackend.MemoryEfficient => "keys in chunks",
            _ => "tiles with an online softmax in float32",
        };
    }
}
