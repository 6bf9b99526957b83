using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The GPU devices of this machine, enumerated once per process.</summary>
internal static class GpuDevices
{
    private static readonly Lazy<(IReadOnlyList<Entry> Devices, IReadOnlyList<string> Absences)> Found = new(Find);

    /// <summary>A device and a function that opens it.</summary>
    /// <param name="Info">Properties known without probing.</param>
    /// <param name="Open">Opens the device.</param>
    internal sealed record Entry(DeviceInfo Info, Func<ILoggerFactory, GpuDevice> Open)
    {
        /// <summary>Its optional features in plain words; may probe the device.</summary>
        public Func<ILoggerFactory, IEnumerable<string>> Features { get; init; } = static _ => [];

        /// <summary>The properties with the optional features, without opening the device.</summary>
        public DeviceInfo Describe(ILoggerFactory loggerFactory) =>
            Info with { Capabilities = [.. Info.Capabilities, .. Features(loggerFactory)] };
    }

    /// <summary>All devices, best first.</summary>
    public static IReadOnlyList<Entry> All() => Found.Value.Devices;

    /// <summary>Why families of devices are absent.</summary>
    public static IReadOnlyList<string> Absences() => Found.Value.Absences;

    private static (IReadOnlyList<Entry> Devices, IReadOnlyList<string> Absences) Find()
    {
        var (devices, absences) = (new List<Entry>(), new List<string>());
        Add(() => CudaLibrary.TryLoad(out string? problem) is { } api
            ? (Cuda(api, ArtifactCache.Shared), CudaInfo.NoneBecause(Environment.GetEnvironmentVariable)) : ([], problem));
        Add(() => OpenClLibrary.TryLoad(out string? problem) is { } api
            ? (OpenCl(api, ArtifactCache.Shared), OpenClAbsence.Of(api, Environment.GetEnvironmentVariable)) : ([], problem));
        return (devices, absences);

        void Add(Func<(IEnumerable<Entry> Devices, string? Absence)> find)
        {
            try
            {
                var (found, absence) = find();
                int before = devices.Count;
                devices.AddRange(found);
                if (devices.Count == before && absence is not null) absences.Add(absence);
            }
            catch (DeviceException e)
            {
                absences.Add(e.Message); // a broken driver must not keep the others from being found
            }
        }
    }

    private static IEnumerable<Entry> Cuda(ICuda api, IArtifactSource artifacts) => CudaInfo.All(api).Select(info => new Entry(
        new DeviceInfo($"cuda:{info.Ordinal}", info.Name, Backends.Cuda, info.Target.Architecture, info.MemoryBytes, $"CUDA {info.Version}",
            [$"{info.Multiprocessors} multiprocessors", $"{info.SharedBytes >> 10} KiB of shared memory a group",
                .. info.HasPools ? (string[])["memory pools"] : []])
        {
            Problem = info.Problem,
        },
        loggerFactory => new CudaDevice(api, info, artifacts, loggerFactory: loggerFactory))
    {
        Features = _ => info.Target.Features.Descriptions,
    });

    /// <summary>The devices of an OpenCL loader.</summary>
    internal static IEnumerable<Entry> OpenCl(IOpenCl api, ArtifactCache artifacts) => OpenClInfo.All(api).Select((info, i) =>
    {
        string? variable = Environment.GetEnvironmentVariable(OpenClProbe.Variable);
        return OpenCl(api, artifacts, info, i, Once(loggerFactory => OpenClProbe.Of(api, info, artifacts, variable, loggerFactory)));
    });

    /// <summary>A probe that runs for its first caller, whose log gets the failures; the others get the same answer.</summary>
    private static Func<ILoggerFactory, ProbedFeatures> Once(Func<ILoggerFactory, ProbedFeatures> probe)
    {
        ProbedFeatures? found = null;
        var gate = new Lock();
        return loggerFactory =>
        {
            lock (gate) return found ??= probe(loggerFactory);
        };
    }

    private static Entry OpenCl(
        IOpenCl api, ArtifactCache artifacts, OpenClInfo info, int i, Func<ILoggerFactory, ProbedFeatures> probed) => new(
        new DeviceInfo($"opencl:{i}", info.Name, Backends.OpenCL, info.Target.Architecture, info.MemoryBytes,
            $"{info.Platform} {info.Driver}",
            [.. new[] { info.Version, $"{info.ComputeUnits} compute units", info.IsCpu ? "a processor" : null,
                info.NativeHalf ? "fp16" : null }.OfType<string>()])
        {
            Problem = info.Problem,
            IsChosenByItself = info.IsGpu,
        },
        factory => new OpenClDevice(api, info with { Features = probed(factory).Features }, i, artifacts, loggerFactory: factory))
        {
            Features = factory =>
            {
                var (features, failures) = probed(factory);
                return [.. features.Descriptions, .. info.UnusedExtensions, .. failures];
            },
        };
}
