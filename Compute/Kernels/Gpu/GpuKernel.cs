using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>One kernel launch of an op: which kernel, over how many groups, with which arguments.</summary>
internal readonly record struct LaunchSpecification(KernelSource Source, GpuGrid Grid, GpuArguments Arguments)
{
    /// <summary>The launch on a device; the kernel is compiled if need be.</summary>
    public Launch Bind(GpuDevice device, OpCall? call, CancellationToken cancellation = default) =>
        device.Function(Source, cancellation).Bind(Grid, Arguments, call);
}

/// <summary>An op's GPU kernels: joins C# sources, which any GPU device compiles, with the arguments of a call.</summary>
/// <param name="stages">The launches for a call, in order.</param>
/// <param name="scratchBytes">Working memory of a call; none unless given.</param>
internal sealed class GpuKernel(Func<OpCall, IEnumerable<LaunchSpecification>> stages, Func<OpSignature, long>? scratchBytes = null) : Kernel
{
    /// <summary>A kernel of one launch.</summary>
    public GpuKernel(KernelSource source, Func<OpCall, (GpuGrid Grid, GpuArguments Arguments)> bind, Func<OpSignature, long>? scratchBytes = null)
        : this(call => Single(source, bind(call)), scratchBytes) { }

    /// <summary>A variant for both GPU back ends.</summary>
    /// <param name="name">Such as <c>gpu/rows</c>.</param>
    /// <param name="compile">The kernel for a signature's types; sizes come with each call.</param>
    public static KernelVariant Variant(string name, Func<OpSignature, GpuKernel> compile) =>
        new(name, Backends.Cuda | Backends.OpenCL, (_, signature) => compile(signature));

    /// <summary>A variant that depends on the device's capabilities.</summary>
    public static KernelVariant Variant(string name, Func<GpuTarget, OpSignature, GpuKernel> compile) =>
        new(name, Backends.Cuda | Backends.OpenCL, (device, signature) => compile(((GpuDevice)device).Target, signature));

    /// <summary>Whether a device is a processor behind OpenCL, where barriers cost much.</summary>
    public static bool IsProcessor(Device device) => ((GpuDevice)device).Target.IsCpu;

    /// <inheritdoc/>
    public override long ScratchBytes(OpSignature signature) => scratchBytes?.Invoke(signature) ?? 0;

    /// <inheritdoc/>
    public override void Prepare(OpCall call)
    {
        foreach (var stage in stages(call)) ((GpuDevice)call.Device).Begin(stage.Source, call.Cancellation);
    }

    /// <inheritdoc/>
    public override Launch Bind(OpCall call)
    {
        var device = (GpuDevice)call.Device;
        Launch[] launches = [.. stages(call).Select(stage => stage.Bind(device, call, call.Cancellation))];
        return launches.Length == 1 ? launches[0] : new SequenceLaunch(launches);
    }

    private static IEnumerable<LaunchSpecification> Single(KernelSource source, (GpuGrid Grid, GpuArguments Arguments) bound) => [new(source, bound.Grid, bound.Arguments)];
}
