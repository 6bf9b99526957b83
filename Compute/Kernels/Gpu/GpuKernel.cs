using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>One kernel launch of an op: kernel, grid and arguments.</summary>
internal readonly record struct LaunchSpecification(KernelSource Source, GpuGrid Grid, GpuArguments Arguments)
{
    /// <summary>Binds the launch on a device; compiles the kernel if necessary.</summary>
    public Launch Bind(GpuDevice device, OpCall? call, CancellationToken cancellation = default) =>
        device.Function(Source, cancellation).Bind(Grid, Arguments, call);
}

/// <summary>An op's GPU kernels: C# sources, compiled for any GPU device, and the arguments of a call.</summary>
/// <param name="stages">The launches for a call, in order.</param>
/// <param name="scratchBytes">Scratch bytes of a call; 0 by default.</param>
internal sealed class GpuKernel(Func<OpCall, IEnumerable<LaunchSpecification>> stages, Func<OpSignature, long>? scratchBytes = null)
    : Kernel
{
    /// <summary>A kernel with one launch.</summary>
    public GpuKernel(KernelSource source, Func<OpCall, (GpuGrid Grid, GpuArguments Arguments)> bind,
        Func<OpSignature, long>? scratchBytes = null)
        : this(call => Single(source, bind(call)), scratchBytes) { }

    /// <summary>A variant for both GPU backends.</summary>
    /// <param name="name">Such as <c>gpu/rows</c>.</param>
    /// <param name="compile">Makes the kernel for a signature's types; sizes come with each call.</param>
    public static KernelVariant Variant(string name, Func<OpSignature, GpuKernel> compile) =>
        new(name, Backends.Cuda | Backends.OpenCL, (_, signature) => compile(signature));

    /// <summary>A variant that depends on the device's capabilities.</summary>
    public static KernelVariant Variant(string name, Func<GpuTarget, OpSignature, GpuKernel> compile) =>
        new(name, Backends.Cuda | Backends.OpenCL, (device, signature) => compile(((GpuDevice)device).Target, signature));

    /// <summary>Whether a device is a CPU behind OpenCL, where barriers are expensive.</summary>
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

    private static IEnumerable<LaunchSpecification> Single(KernelSource source, (GpuGrid Grid, GpuArguments Arguments) bound) =>
        [new(source, bound.Grid, bound.Arguments)];
}
