using System.Text;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Properties of one OpenCL device.</summary>
internal sealed record OpenClInfo
{
    /// <summary>Device types.</summary>
    public const ulong Cpu = 2, Gpu = 4;

    private const ulong AllTypes = 0xFFFFFFFF;
    private static readonly Lock Asking = new(); // PoCL initialises on the first query, and reports no devices to a second thread meanwhile

    public required nint Handle { get; init; }

    public required string Name { get; init; }

    public required string Vendor { get; init; }

    public required string Platform { get; init; }

    public required string Driver { get; init; }

    public required string Version { get; init; }

    public required string[] Extensions { get; init; }

    public required ulong Type { get; init; }

    public required uint ComputeUnits { get; init; }

    public required int MaxGroupSize { get; init; }

    public required int LocalMemoryBytes { get; init; }

    public required long MemoryBytes { get; init; }

    public required long MaxAllocationBytes { get; init; }

    /// <summary>Alignment of sub-buffers.</summary>
    public required int BaseAlignmentBytes { get; init; }

    /// <summary>Why kernels cannot run here; null if they can.</summary>
    public required string? Problem { get; init; }

    /// <summary>Features that <see cref="OpenClProbe"/> found to work; none before it ran.</summary>
    public GpuFeatures Features { get; init; } = GpuFeatures.None;

    public bool IsCpu => (Type & Cpu) != 0;

    /// <summary>Whether it is a GPU and nothing else. A CPU that also claims to be a GPU, as simulators do, does not count.</summary>
    public bool IsGpu => (Type & (Gpu | Cpu)) == Gpu;

    /// <summary>Whether the device reports packed dot products of signed bytes as accelerated; queried only if it supports them.</summary>
    public required bool HasFastDot { get; init; }

    public bool NativeHalf => Extensions.Contains("cl_khr_fp16");

    /// <summary>Smallest sub-group size of Intel's compiler, which matrix instructions require; 0 if not queried.</summary>
    public required int SmallestSubGroup { get; init; }

    /// <summary>Extensions for matrix instructions that the device claims and no kernel uses.</summary>
    public IEnumerable<string> UnusedExtensions =>
        Extensions.Where(e => e.Contains("matrix_multiply", StringComparison.Ordinal)
            && !(e == OpenClMatrixProbe.IntelExtension && OpenClMatrixProbe.Claimed(this) != MatrixUnitKind.None))
                .Select(e => $"{e} (not used)");

    /// <summary>The target of code generation.</summary>
    public GpuTarget Target => new(
        GpuLanguage.OpenCl, IsCpu ? "opencl-cpu" : $"opencl-{(IsGpu ? "gpu" : "accelerator")}-{Plain(Vendor)}-{Plain(Name)}",
        NativeHalf, IsCpu, MaxGroupSize, LocalMemoryBytes, $"{Platform}; {Name}; {Driver}")
    {
        Features = Features,
    };

    /// <summary>All devices of all platforms: GPUs first, CPUs last, otherwise in the drivers' order.</summary>
    public static IReadOnlyList<OpenClInfo> All(IOpenCl api)
    {
        lock (Asking) return Find(api);
    }

    /// <summary>The registered drivers, with the number of their devices.</summary>
    public static IReadOnlyList<(string Name, int Devices)> Platforms(IOpenCl api)
    {
        lock (Asking) return [.. PlatformHandles(api).Select(platform => (NameOf(api, platform), DeviceHandles(api, platform).Length))];
    }

    private static IReadOnlyList<OpenClInfo> Find(IOpenCl api)
    {
        var devices = PlatformHandles(api)
            .SelectMany(platform => DeviceHandles(api, platform).Select(device => Read(api, platform, device)));
        return [.. devices.OrderBy(d => d.IsGpu ? 0 : d.IsCpu ? 2 : 1)];
    }

    private static nint[] PlatformHandles(IOpenCl api) =>
        Handles((uint n, nint list, out uint count) => api.GetPlatformIds(n, list, out count), OpenClError.PlatformNotFound,
            "clGetPlatformIDs");

    private static nint[] DeviceHandles(IOpenCl api, nint platform) =>
        Handles((uint n, nint list, out uint count) => api.GetDeviceIds(platform, AllTypes, n, list, out count), OpenClError.DeviceNotFound,
            "clGetDeviceIDs");

    private static string NameOf(IOpenCl api, nint platform) =>
        Text((nuint n, nint value, out nuint needed) => api.GetPlatformInfo(platform, 0x0902, n, value, out needed), "clGetPlatformInfo");

    private static OpenClInfo Read(IOpenCl api, nint platform, nint device)
    {
        string Text(uint name) =>
            OpenClInfo.Text((nuint n, nint value, out nuint needed) => api.GetDeviceInfo(device, name, n, value, out needed),
                "clGetDeviceInfo");
        ulong Number(uint name) =>
            OpenClInfo.Number((nuint n, nint value, out nuint needed) => api.GetDeviceInfo(device, name, n, value, out needed),
                "clGetDeviceInfo");
        string version = Text(0x102F);
        string[] extensions = Text(0x1030).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new OpenClInfo
        {
            Handle = device,
            Name = Text(0x102B),
            Vendor = Text(0x102C),
            Platform = NameOf(api, platform),
            Driver = Text(0x102D),
            Version = version,
            Extensions = extensions,
            HasFastDot = extensions.Contains("cl_khr_integer_dot_product") && FastDot(api, device),
            SmallestSubGroup = extensions.Contains(OpenClMatrixProbe.IntelExtension) ? SmallestSubGroupOf(api, device) : 0,
            Type = Number(0x1000),
            ComputeUnits = (uint)Number(0x1002),
            MaxGroupSize = (int)Math.Min(Number(0x1004), int.MaxValue),
            LocalMemoryBytes = (int)Math.Min(Number(0x1023), int.MaxValue),
            MemoryBytes = (long)Number(0x101F),
            MaxAllocationBytes = (long)Number(0x1010),
            BaseAlignmentBytes = Math.Max(1, (int)Number(0x1019) / 8),
            Problem = Number(0x1027) == 0 ? "the driver says that it is not available"
                : Number(0x1028) == 0 ? "its driver has no compiler"
                : Number(0x1026) == 0 ? "it is big-endian"
                : version.StartsWith("OpenCL 1.0", StringComparison.Ordinal) || version.StartsWith("OpenCL 1.1", StringComparison.Ordinal)
                    ? $"it has {version.Trim()}; OpenCL 1.2 is needed"
                : null,
        };
    }

    // cl_device_integer_dot_product_acceleration_properties_khr: six booleans, the first for signed operands.
    private static unsafe bool FastDot(IOpenCl api, nint device)
    {
        uint* accelerated = stackalloc uint[6];
        return api.GetDeviceInfo(device, 0x1075, 6 * sizeof(uint), (nint)accelerated, out _) == 0 && accelerated[0] != 0;
    }

    // CL_DEVICE_SUB_GROUP_SIZES_INTEL
    private static unsafe int SmallestSubGroupOf(IOpenCl api, nint device)
    {
        const int Most = 16;
        nuint* sizes = stackalloc nuint[Most];
        if (api.GetDeviceInfo(device, 0x4108, Most * (nuint)sizeof(nuint), (nint)sizes, out nuint bytes) != 0) return 0;
        int least = int.MaxValue, count = (int)(bytes / (nuint)sizeof(nuint));
        for (int i = 0; i < count; i++) least = (int)Math.Min(sizes[i], (nuint)least);
        return count > 0 ? least : 0;
    }

    private delegate int List(uint entries, nint list, out uint count);

    private delegate int Query(nuint bytes, nint value, out nuint needed);

    private static unsafe nint[] Handles(List query, int none, string function)
    {
        int error = query(0, 0, out uint count);
        if (error == none || (error == 0 && count == 0)) return [];
        Check(error, function);
        nint[] handles = new nint[count];
        fixed (nint* list = handles) Check(query(count, (nint)list, out _), function);
        return handles;
    }

    private static unsafe string Text(Query query, string function)
    {
        Check(query(0, 0, out nuint needed), function);
        byte[] text = new byte[needed];
        fixed (byte* value = text) Check(query(needed, (nint)value, out _), function);
        return Encoding.UTF8.GetString(text).TrimEnd('\0').Trim();
    }

    /// <summary>A number of 1, 4 or 8 bytes: little-endian, so one read works for all.</summary>
    private static unsafe ulong Number(Query query, string function)
    {
        ulong value = 0;
        Check(query(sizeof(ulong), (nint)(&value), out _), function);
        return value;
    }

    private static void Check(int error, string function)
    {
        if (error != 0) throw new DeviceException($"opencl: {function} failed with {OpenClError.Name(error)}.");
    }

    private static string Plain(string text) =>
        string.Join('-', new string([.. text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')]).Split(' ',
            StringSplitOptions.RemoveEmptyEntries));
}
