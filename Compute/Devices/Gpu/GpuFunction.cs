namespace ILGpuDiffusion.Compute.Devices;

/// <summary>A kernel loaded on a device.</summary>
internal abstract class GpuFunction(GpuDevice device, KernelSource source, KernelArtifact artifact)
{
    /// <summary>What it was made of.</summary>
    public KernelSource Source => source;

    /// <summary>Its parameters and sizes.</summary>
    public KernelArtifact Artifact => artifact;

    /// <summary>Binds arguments: the launch then queues the kernel without allocation, look-up or lock.</summary>
    /// <param name="grid">Groups in each direction.</param>
    /// <param name="arguments">Arguments of the number and kinds that the kernel has.</param>
    /// <param name="subject">What the launch computes, for error messages.</param>
    public Launch Bind(GpuGrid grid, GpuArguments arguments, ILaunchSubject? subject = null)
    {
        var kinds = artifact.Parameters;
        if (kinds.Length != arguments.List.Count || !kinds.Select(k => k.Kind).SequenceEqual(arguments.List.Select(a => a.Kind)))
        {
            string expected = string.Join(", ", kinds.Select(k => k.Kind));
            string given = string.Join(", ", arguments.List.Select(a => $"{a.Kind} {a.Name}"));
            throw new DeviceException($"{device.Id}: {source} has parameters ({expected}); it was given ({given}).")
            {
                Device = device.Id,
                Op = Describe(subject),
            };
        }

        if (grid.X < 1 || grid.Y < 1 || grid.Z < 1)
            throw new DeviceException(
                $"{device.Id}: {source} was asked for {grid.X} × {grid.Y} × {grid.Z} groups; there must be at least one.")
            {
                Device =
                    device.Id,
                Op = Describe(subject)
            };
        return BindChecked(grid, arguments, subject);
    }

    /// <summary>As <see cref="Bind"/>, with arguments already checked.</summary>
    protected abstract Launch BindChecked(GpuGrid grid, GpuArguments arguments, ILaunchSubject? subject);

    /// <summary>Frees the module.</summary>
    internal abstract void Unload();

    /// <summary>Kernel, op and shapes, for messages.</summary>
    internal string Describe(ILaunchSubject? subject) => subject is null ? $"{source}" : $"{subject.Name} ({source}) of {subject.Operands}";
}
