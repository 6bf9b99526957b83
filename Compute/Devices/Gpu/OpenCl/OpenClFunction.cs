namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A kernel of a built program. Arguments are laid out as ILGPU's OpenCL texts expect: first every view's memory object, then all
/// parameters in order, a view as {int offset in elements, long length}.
/// </summary>
internal sealed unsafe class OpenClFunction(OpenClDevice device, KernelSource source, KernelArtifact artifact, nint program)
    : GpuFunction(device, source, artifact)
{
    /// <inheritdoc/>
    protected override Launch BindChecked(GpuGrid grid, GpuArguments arguments, ILaunchSubject? subject)
    {
        var launch = new OpenClLaunch(this, device, device.CreateKernel(program, Artifact.Entry), grid, subject);
        var parameters = Artifact.Parameters;
        GpuView[] views = [.. arguments.List.Select((a, i) =>
            a.Kind == KernelParameterKind.View ? GpuView.Of(device, a.Tensor, parameters[i].ElementBytes) : default)];
        uint index = 0;
        for (int i = 0; i < views.Length; i++)
        {
            if (parameters[i].Kind != KernelParameterKind.View) continue;
            nint memory = launch.Memory(ref views[i], parameters[i].ElementBytes);
            Set(launch, index++, &memory, sizeof(nint), subject);
        }

        for (int i = 0; i < views.Length; i++)
        {
            long bits = arguments.List[i].Bits;
            var view = new ViewArgument { Offset = (int)views[i].Offset, Length = views[i].Length };
            if (parameters[i].Kind == KernelParameterKind.View) Set(launch, index++, &view, sizeof(ViewArgument), subject);
            // little-endian: the value is in the low bytes
            else Set(launch, index++, &bits, parameters[i].Kind == KernelParameterKind.Int64 ? 8 : 4, subject);
        }

        return launch;
    }

    /// <inheritdoc/>
    internal override void Unload() => device.Api.ReleaseProgram(program);

    private void Set(OpenClLaunch launch, uint index, void* value, int bytes, ILaunchSubject? subject) =>
        device.Check(device.Api.SetKernelArg(launch.Kernel, index, (nuint)bytes, (nint)value), $"clSetKernelArg({index})",
            Describe(subject));

    private struct ViewArgument
    {
        public int Offset;
        public long Length;
    }
}
