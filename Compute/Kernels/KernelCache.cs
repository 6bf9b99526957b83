using System.Collections.Concurrent;

namespace ILGpuDiffusion.Compute;

/// <summary>A device's compiled kernels, held for the device's lifetime.</summary>
public sealed class KernelCache(Device device)
{
    private readonly ConcurrentDictionary<KernelKey, Lazy<Kernel>> kernels = new();

    /// <summary>How many kernels were compiled so far.</summary>
    public int Compilations => kernels.Count;

    /// <summary>The best kernel for a signature, compiled at most once per key.</summary>
    public Kernel Get(OpSignature signature)
    {
        var variant = signature.Op.Kernels.Choose(device, signature);
        string types = $"{string.Join(",", signature.Inputs.Select(i => i.DType))}→{signature.Output.DType}";
        var key = new KernelKey(signature.Op, types, variant.Name, device.Architecture);
        return kernels.GetOrAdd(key, _ => new Lazy<Kernel>(() => variant.Compile(device, signature))).Value;
    }
}
