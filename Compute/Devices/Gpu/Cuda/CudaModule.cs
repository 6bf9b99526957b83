using System.Text;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Loads a function from an artifact: from cached machine code if the driver accepts it, else from PTX, whose machine code is then cached.
/// </summary>
internal static unsafe class CudaModule
{
    private const int InputPtx = 1, MaxDynamicSharedBytes = 8, PlainSharedBytes = 48 << 10;
    private const int ErrorLogBuffer = 5, ErrorLogBytes = 6; // option codes of the driver
    private static readonly Lock FirstLink = new();
    private static volatile bool linked;

    /// <summary>The loaded kernel.</summary>
    /// <exception cref="DeviceException">The driver rejects the text; the message has its log.</exception>
    public static CudaFunction Load(CudaDevice device, KernelSource source, KernelArtifact artifact, IArtifactSource keep)
    {
        var api = device.Api;
        nint module = 0;
        if (artifact.Binary is not { Length: > 0 } kept || TryLoad(api, kept, out module) != 0)
        {
            DriverBuilds.Add();
            byte[] cubin = Link(device, source, artifact.Text);
            device.Check(TryLoad(api, cubin, out module), "cuModuleLoadDataEx", source.ToString());
            keep.StoreBinary(source, device.Target, cubin);
        }

        try
        {
            nint function;
            fixed (byte* name = Encoding.UTF8.GetBytes(artifact.Entry + '\0'))
                device.Check(api.ModuleGetFunction(module, (nint)name, out function), "cuModuleGetFunction", artifact.Entry);
            if (artifact.SharedBytes + source.DynamicSharedBytes > device.Info.SharedBytes)
                throw new DeviceException(
                    $"{device.Id}: {source} needs {artifact.SharedBytes + source.DynamicSharedBytes} bytes of shared memory; a group may "
                        + $"have {device.Info.SharedBytes}.")
                { Device = device.Id, Op = source.ToString() };
            if (source.DynamicSharedBytes > 0 && artifact.SharedBytes + source.DynamicSharedBytes > PlainSharedBytes)
                device.Check(api.FuncSetAttribute(function, MaxDynamicSharedBytes, source.DynamicSharedBytes), "cuFuncSetAttribute",
                    source.ToString());
            return new CudaFunction(device, source, artifact, module, function);
        }
        catch
        {
            api.ModuleUnload(module);
            throw;
        }
    }

    private static int TryLoad(ICuda api, byte[] cubin, out nint module)
    {
        fixed (byte* image = cubin) return api.ModuleLoadDataEx((nint)image, 0, 0, 0, out module);
    }

    // The driver loads its compiler on first use: one thread does that, after which the others link in parallel.
    private static byte[] Link(CudaDevice device, KernelSource source, string ptx)
    {
        if (linked) return LinkAny(device, source, ptx);
        lock (FirstLink)
        {
            byte[] cubin = LinkAny(device, source, ptx);
            linked = true;
            return cubin;
        }
    }

    private static byte[] LinkAny(CudaDevice device, KernelSource source, string ptx)
    {
        const int LogBytes = 8192;
        var api = device.Api;
        byte* log = stackalloc byte[LogBytes];
        log[0] = 0;
        int* names = stackalloc int[] { ErrorLogBuffer, ErrorLogBytes };
        nint* values = stackalloc nint[] { (nint)log, LogBytes };
        device.Check(api.LinkCreate(2, (nint)names, (nint)values, out nint state), "cuLinkCreate", source.ToString());
        try
        {
            byte[] text = Encoding.UTF8.GetBytes(ptx + '\0');
            int error;
            fixed (byte* t = text)
            fixed (byte* name = "kernel.ptx\0"u8) error = api.LinkAddData(state, InputPtx, (nint)t, (nuint)text.Length, (nint)name);
            nint cubin = 0;
            nuint bytes = 0;
            if (error == 0) error = api.LinkComplete(state, out cubin, out bytes);
            if (error != 0)
            {
                string words = Encoding.UTF8.GetString(new ReadOnlySpan<byte>(log, LogBytes)).Split('\0')[0].Trim();
                throw new DeviceException(
                    $"{device}: PTX of {source} was refused with {CudaError.Name(api, error)}. The driver says: "
                        + $"{(words.Length > 0 ? words : "nothing")}")
                { Device = device.Id, Op = source.ToString() };
            }

            return new ReadOnlySpan<byte>((void*)cubin, checked((int)bytes)).ToArray();
        }
        finally
        {
            api.LinkDestroy(state);
        }
    }
}
