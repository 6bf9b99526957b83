using System.Text;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Properties of one NVIDIA GPU, as reported by the driver.</summary>
internal sealed record CudaInfo
{
    private const int LeastDriver = 11080, LeastArchitecture = 50; // PTX 7.8

    public required int Ordinal { get; init; }

    public required int Device { get; init; }

    public required string Name { get; init; }

    public required int Major { get; init; }

    public required int Minor { get; init; }

    public required long MemoryBytes { get; init; }

    public required int Multiprocessors { get; init; }

    public required int MaxGroupSize { get; init; }

    /// <summary>Maximum shared memory per group in bytes, after opting in.</summary>
    public required int SharedBytes { get; init; }

    public required int DriverVersion { get; init; }

    /// <summary>Whether memory can be allocated in stream order.</summary>
    public required bool HasPools { get; init; }

    /// <summary>Why kernels cannot run here; null if they can.</summary>
    public required string? Problem { get; init; }

    /// <summary>The target of code generation.</summary>
    public GpuTarget Target =>
        new(GpuLanguage.Ptx, $"sm_{Major}{Minor}", NativeHalf: Major > 5 || (Major == 5 && Minor >= 3), IsCpu: false, MaxGroupSize,
            SharedBytes, $"CUDA {Version}; {Name}")
        {
            Features = GpuFeatures.Cuda(Major, Minor),
        };

    /// <summary>The newest CUDA that the driver supports.</summary>
    public string Version => $"{DriverVersion / 1000}.{DriverVersion % 1000 / 10}";

    /// <summary>All GPUs in the driver's order.</summary>
    /// <exception cref="DeviceException">The driver fails; the message quotes it.</exception>
    public static IReadOnlyList<CudaInfo> All(ICuda api)
    {
        int error = api.Init();
        if (error == CudaError.NoDevice) return [];
        Check(api, error, "cuInit");
        Check(api, api.DriverGetVersion(out int driver), "cuDriverGetVersion");
        Check(api, api.DeviceGetCount(out int count), "cuDeviceGetCount");
        return [.. Enumerable.Range(0, count).Select(i => Read(api, i, driver))];
    }

    /// <summary>Why a working driver may report no GPU.</summary>
    /// <param name="environment">Reads environment variables.</param>
    public static string NoneBecause(Func<string, string?> environment)
    {
        const string Variable = "CUDA_VISIBLE_DEVICES";
        string hidden = environment(Variable) is { } visible ? $" ({Variable} is '{visible}', which may hide it)" : "";
        return $"CUDA: the driver is installed, but sees no GPU{hidden}. "
            + "nvidia-smi lists the GPUs; a container must be given access to them.";
    }

    private static CudaInfo Read(ICuda api, int ordinal, int driver)
    {
        Check(api, api.DeviceGet(ordinal, out int device), "cuDeviceGet");
        Check(api, api.DeviceTotalMem(device, out nuint memory), "cuDeviceTotalMem");
        int Attribute(int number)
        {
            Check(api, api.DeviceGetAttribute(number, device, out int value), $"cuDeviceGetAttribute({number})");
            return value;
        }

        var (major, minor, computeMode) = (Attribute(75), Attribute(76), Attribute(20));
        return new CudaInfo
        {
            Ordinal = ordinal,
            Device = device,
            Name = ReadName(api, device),
            Major = major,
            Minor = minor,
            MemoryBytes = (long)memory,
            Multiprocessors = Attribute(16),
            MaxGroupSize = Attribute(1),
            SharedBytes = Attribute(97),
            DriverVersion = driver,
            HasPools = api.DeviceGetAttribute(115, device, out int pools) == 0 && pools != 0, // unknown to drivers before 11.2
            Problem = computeMode == 2 ? "its compute mode is 'prohibited'; change it with nvidia-smi -c 0"
                : driver < LeastDriver ? $"its driver supports CUDA {driver / 1000}.{driver % 1000 / 10}; 11.8 is needed, so update the "
                    + "driver"
                : major * 10 + minor < LeastArchitecture ? $"it has compute capability {major}.{minor}; 5.0 is needed"
                : null,
        };
    }

    private static unsafe string ReadName(ICuda api, int device)
    {
        byte[] text = new byte[256];
        fixed (byte* at = text) Check(api, api.DeviceGetName((nint)at, text.Length, device), "cuDeviceGetName");
        return Encoding.UTF8.GetString(text.AsSpan(0, Math.Max(0, Array.IndexOf(text, (byte)0)))).Trim();
    }

    private static void Check(ICuda api, int error, string function)
    {
        if (error != 0) throw new DeviceException($"cuda: {function} failed with {CudaError.Name(api, error)}.");
    }
}
