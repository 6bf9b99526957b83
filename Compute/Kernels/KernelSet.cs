using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Every implementation of one op, best first.</summary>
/// <param name="op">The op's name as logs print it, such as <c>group_norm</c>.</param>
/// <param name="variants">The implementations, best first.</param>
public sealed class KernelSet(string op, params KernelVariant[] variants)
{
    /// <summary>The op's name.</summary>
    public string Op => op;

    /// <summary>The implementations, best first.</summary>
    public IReadOnlyList<KernelVariant> Variants => variants;

    /// <summary>
    /// Increased when a parameter changes its meaning, or a kernel its speed, so much that earlier tuning results are invalid.
    /// </summary>
    public int TuningRevision { get; init; } = 1;

    /// <summary>The variants that can run a call, best first as far as known without measuring.</summary>
    public IEnumerable<KernelVariant> Candidates(Device device, OpSignature signature) =>
        variants.Where(v => v.Backends.HasFlag(device.Backend) && v.SupportsDevice(device) && v.SupportsTypes(signature)
            && v.SupportsShape(signature));

    /// <summary>The first variant that supports the device and the signature.</summary>
    /// <exception cref="DeviceException">There is none; there is no fallback to another device or type.</exception>
    public KernelVariant Choose(Device device, OpSignature signature) =>
        Candidates(device, signature).FirstOrDefault() ?? throw Missing(device, signature);

    private DeviceException Missing(Device device, OpSignature signature)
    {
        if (signature.Op.WhyMissing(device, signature) is { } reason) return new(reason);
        bool otherTypes = variants.Any(v => v.Backends.HasFlag(device.Backend) && !v.SupportsTypes(signature));
        string why = otherTypes && device.Backend == Backends.Cpu ? "; activations there are Float32" : "";
        return new($"{op}: no kernel for {string.Join(", ", signature.Inputs)} → {signature.Output} on {device.Id}{why}.");
    }
}
