namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A kernel of a loaded module. Arguments are laid out as ILGPU's PTX expects: all in order, a view as {device address, long length}.
/// </summary>
internal sealed unsafe class CudaFunction(CudaDevice device, KernelSource source, KernelArtifact artifact, nint module, nint function)
    : GpuFunction(device, source, artifact)
{
    /// <summary>The driver's handle.</summary>
    public nint Handle => function;

    /// <inheritdoc/>
    protected override Launch BindChecked(GpuGrid grid, GpuArguments arguments, ILaunchSubject? subject)
    {
        // One pinned block: first a pointer to each parameter, then the parameters, 16 bytes each.
        int count = arguments.List.Count;
        var block = GC.AllocateArray<long>(3 * count, pinned: true);
        fixed (long* at = block)
        {
            for (int i = 0; i < count; i++)
            {
                var argument = arguments.List[i];
                long* value = at + count + 2 * i;
                at[i] = (nint)value;
                if (argument.Kind != KernelParameterKind.View)
                {
                    *value = argument.Bits; // little-endian: the value is in the low bytes
                    continue;
                }

                int size = Artifact.Parameters[i].ElementBytes;
                var view = GpuView.Of(device, argument.Tensor, size);
                (value[0], value[1]) = (view.Buffer is null ? 0 : view.Buffer.Handle + view.Offset * size, view.Length);
            }
        }

        return new CudaLaunch(device, this, grid, block, subject);
    }

    /// <inheritdoc/>
    internal override void Unload() => device.Unload(module);

    /// <summary>A function with its arguments: running it is one driver call.</summary>
    private sealed class CudaLaunch : Launch
    {
        private readonly CudaDevice device;
        private readonly CudaFunction function;
        private readonly GpuGrid grid;
        private readonly long[] block; // pinned, so that its address holds as long as the launch does
        private readonly nint parameters;
        private readonly ILaunchSubject? subject;

        public CudaLaunch(CudaDevice device, CudaFunction function, GpuGrid grid, long[] block, ILaunchSubject? subject)
        {
            (this.device, this.function, this.grid, this.block, this.subject) = (device, function, grid, block, subject);
            fixed (long* at = block) parameters = (nint)at;
        }

        public override void Run()
        {
            device.Enter();
            int error = device.Api.LaunchKernel(
                function.Handle, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)function.Artifact.GroupSize,
                    (uint)function.Source.DynamicSharedBytes, device.Stream, parameters);
            if (error != 0) device.Check(error, "cuLaunchKernel", ToString());
            device.Last = this;
            GC.KeepAlive(block);
        }

        public override string ToString() => function.Describe(subject);
    }
}
