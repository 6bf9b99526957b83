using System.Collections.Concurrent;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A device's compiled kernels, held for the device's lifetime.</summary>
public sealed class KernelCache(Device device)
{
    private readonly ConcurrentDictionary<KernelKey, Lazy<Kernel>> kernels = new();
    private readonly ConcurrentDictionary<(Kernel, KernelSettings), Kernel> set = new();

    /// <summary>How many kernels were compiled so far.</summary>
    public int Compilations => kernels.Count;

    /// <summary>How a call is computed: as measured (<see cref="DeviceKernels"/>), else by the first of the op's kernels that suits it.</summary>
    /// <exception cref="DeviceException">No kernel suits.</exception>
    public KernelChoice Choose(OpSignature signature) =>
        device.Tuning.Find(signature) ?? signature.Op.Kernels.Choose(device, signature).Untuned(device, signature);

    /// <summary>The best kernel for a call, compiled at most once per key.</summary>
    public Kernel Get(OpSignature signature) => Get(signature, Choose(signature));

    /// <summary>A kernel of the caller's choice for a call, compiled at most once per key.</summary>
    public Kernel Get(OpSignature signature, KernelChoice choice)
    {
        string types = $"{string.Join(",", signature.Inputs.Select(i => i.DType))}→{signature.Output.DType}";
        var key = new KernelKey(signature.Op, types, choice.Variant.Name, device.Architecture);
        var kernel = kernels.GetOrAdd(key, _ => new Lazy<Kernel>(() => choice.Variant.Compile(device, signature))).Value;
        return choice.Settings.Values.Count == 0 ? kernel : set.GetOrAdd((kernel, choice.Settings), static key => new ConfiguredKernel(key.Item1, key.Item2));
    }
}
