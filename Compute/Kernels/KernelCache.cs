using System.Collections.Concurrent;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A device's compiled kernels, held for the device's lifetime.</summary>
public sealed class KernelCache(Device device)
{
    private readonly ConcurrentDictionary<KernelKey, Lazy<Kernel>> kernels = new();
    private readonly ConcurrentDictionary<(Kernel, KernelSettings), Kernel> set = new();

    /// <summary>Number of kernels compiled so far.</summary>
    public int Compilations => kernels.Count;

    /// <summary>
    /// The kernel and settings for a call: the tuning result if there is one (<see cref="DeviceKernels"/>), else the first supported
    /// variant.
    /// </summary>
    /// <exception cref="DeviceException">No variant supports the call.</exception>
    public KernelChoice Choose(OpSignature signature)
    {
        var choice = device.Tuning.Find(signature) ?? signature.Op.Kernels.Choose(device, signature).Untuned(device, signature);
        Chosen?.Invoke(signature, choice);
        return choice;
    }

    /// <summary>
    /// Takes compiled kernels, and the variant and tiles of each size class, from a pack. Call it before work that they are for; the user's
    /// own tuning results (<see cref="TuningTable"/>) take precedence.
    /// </summary>
    /// <param name="pack">The pack.</param>
    /// <exception cref="KernelPackException">The pack is of another version of the library, or has nothing for the device.</exception>
    public void Use(KernelPack pack)
    {
        ArgumentNullException.ThrowIfNull(pack);
        if (pack.ProblemOn(device) is { } problem) throw new KernelPackException(pack.Path, problem);
        (device as GpuDevice)?.Use(pack);
        device.Tuning.AddPacked(pack.ChoicesFor(device));
    }

    /// <summary>Called with every choice.</summary>
    internal Action<OpSignature, KernelChoice>? Chosen { get; set; }

    /// <summary>The kernel for a call, compiled at most once per key.</summary>
    public Kernel Get(OpSignature signature) => Get(signature, Choose(signature));

    /// <summary>A kernel chosen by the caller, compiled at most once per key.</summary>
    public Kernel Get(OpSignature signature, KernelChoice choice)
    {
        ValueArray<DType> inputs = new([.. signature.Inputs.Select(i => i.DType)]);
        var key = new KernelKey(signature.Op, inputs, signature.Output.DType, choice.Variant.Name, device.Architecture);
        var kernel = kernels.GetOrAdd(key, _ => new Lazy<Kernel>(() => choice.Variant.Compile(device, signature))).Value;
        return choice.Settings.Values.Count == 0 ? kernel
            : set.GetOrAdd((kernel, choice.Settings), static key => new ConfiguredKernel(key.Item1, key.Item2));
    }
}
