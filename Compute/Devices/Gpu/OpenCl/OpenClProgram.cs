using System.Text;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Builds a program from an artifact: from the cached binary if the driver accepts it, else from the text.</summary>
internal static unsafe class OpenClProgram
{
    private const uint BuildLog = 0x1183, BinarySizes = 0x1165, Binaries = 0x1166;

    /// <summary>A built program.</summary>
    /// <exception cref="DeviceException">The text does not compile; the message has the driver's log.</exception>
    public static nint Build(OpenClDevice device, nint context, OpenClInfo info, KernelSource source, KernelArtifact artifact,
        IArtifactSource keep)
    {
        var api = device.Api;
        if (artifact.Binary is { Length: > 0 } kept && FromBinary(api, context, info.Handle, kept) is { } ready) return ready;
        DriverBuilds.Add();
        byte[] text = Encoding.UTF8.GetBytes(artifact.Text);
        nint program;
        fixed (byte* t = text)
            device.Check(api.CreateProgramWithSource(context, (nint)t, (nuint)text.Length, out program), "clCreateProgramWithSource",
                source.ToString());
        try
        {
            int error; // -w: some drivers print warnings about the generated code themselves
            fixed (byte* options = Encoding.ASCII.GetBytes($"-cl-std={info.Features.Standard} -w\0"))
                error = api.BuildProgram(program, info.Handle, (nint)options);
            if (error != 0)
                throw new DeviceException(
                    $"{device}: clBuildProgram failed with {OpenClError.Name(error)} for {source}.{Hint(info)} The driver says: "
                        + $"{Log(api, program, info.Handle)}")
                { Device = device.Id, Op = source.ToString() };
            if (Binary(api, program) is { } binary) keep.StoreBinary(source, info.Target, binary);
            return program;
        }
        catch
        {
            api.ReleaseProgram(program);
            throw;
        }
    }

    private static string Hint(OpenClInfo info) =>
        info.Features == GpuFeatures.None ? "" : $" {OpenClProbe.Variable}=off disables the driver's extensions.";

    /// <summary>Null if the driver rejects the binary, as after a driver update: the text is built instead.</summary>
    private static nint? FromBinary(IOpenCl api, nint context, nint device, byte[] binary)
    {
        fixed (byte* bytes = binary)
        {
            if (api.CreateProgramWithBinary(context, device, (nint)bytes, (nuint)binary.Length, out nint program) != 0) return null;
            if (api.BuildProgram(program, device, 0) == 0) return program;
            api.ReleaseProgram(program);
            return null;
        }
    }

    private static byte[]? Binary(IOpenCl api, nint program)
    {
        nuint size = 0;
        if (api.GetProgramInfo(program, BinarySizes, (nuint)sizeof(nuint), (nint)(&size), out _) != 0 || size == 0) return null;
        byte[] binary = new byte[size];
        fixed (byte* bytes = binary)
        {
            nint pointer = (nint)bytes;
            return api.GetProgramInfo(program, Binaries, (nuint)sizeof(nint), (nint)(&pointer), out _) == 0 ? binary : null;
        }
    }

    private static string Log(IOpenCl api, nint program, nint device)
    {
        if (api.GetProgramBuildInfo(program, device, BuildLog, 0, 0, out nuint needed) != 0 || needed == 0) return "nothing";
        byte[] log = new byte[needed];
        fixed (byte* bytes = log) api.GetProgramBuildInfo(program, device, BuildLog, needed, (nint)bytes, out _);
        return Encoding.UTF8.GetString(log).TrimEnd('\0').Trim();
    }
}
