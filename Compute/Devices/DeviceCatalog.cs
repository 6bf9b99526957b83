using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The devices of this machine.</summary>
public static class DeviceCatalog
{
    private static readonly Lock Gate = new();
    private static Device? shared;

    /// <summary>Opens a device by its id. Several devices may be open at the same time.</summary>
    /// <param name="id"><c>cpu</c>, <c>cuda:1</c>, <c>opencl:0</c>; without a number the first of its kind; <c>auto</c> for the best
    /// device: an NVIDIA GPU, else an OpenCL GPU, else the CPU. The result's <see cref="Device.Id"/> says which was chosen.</param>
    /// <param name="threads">Worker threads of a CPU device; null uses ILGPUDIFFUSION_THREADS or else all processors available to the
    /// process.</param>
    /// <param name="loggerFactory">Creates the device's loggers; null is <see cref="TraceLoggerFactory"/>.</param>
    /// <exception cref="DeviceException">No such device, or it cannot be used; the message says why and lists the available
    /// ones.</exception>
    public static Device Open(string id = "auto", int? threads = null, ILoggerFactory? loggerFactory = null)
    {
        id = id.ToLowerInvariant();
        if (id == "cpu") return new CpuDevice(threads, loggerFactory);
        loggerFactory ??= TraceLoggerFactory.Instance;
        if (id == "auto") return Best(threads, loggerFactory, logsChoice: false);
        var devices = GpuDevices.All();
        var found = devices.FirstOrDefault(d => d.Info.Id == (id.Contains(':', StringComparison.Ordinal) ? id : $"{id}:0"))
            ?? throw Unknown(id, devices);
        return found.Info.Problem is not { } problem ? found.Open(loggerFactory)
            : throw new DeviceException($"device: {found.Info.Id} ({found.Info.Name}) cannot be used: {problem}.")
            {
                Device =
                found.Info.Id
            };
    }

    /// <summary>All devices, best first, usable or not; always includes the CPU. Does not open them.</summary>
    public static IReadOnlyList<DeviceInfo> List(ILoggerFactory? loggerFactory = null)
    {
        loggerFactory ??= TraceLoggerFactory.Instance;
        using var cpu = new CpuDevice(threads: 1);
        var processor = new DeviceInfo(cpu.Id, cpu.Name, cpu.Backend, cpu.Architecture, cpu.MemoryBytes, "",
            [$"{Environment.ProcessorCount} processors"]);
        var devices = GpuDevices.All().Select(d => d.Describe(loggerFactory)).Append(processor);
        return [.. devices.OrderBy(d => d.Problem is null && d.IsChosenByItself ? d == processor ? 1 : 0 : 2)];
    }

    /// <summary>Why whole families of devices are absent: no driver, or one that fails.</summary>
    public static IReadOnlyList<string> Absences() => GpuDevices.Absences();

    /// <summary>The device behind <see cref="Device.Best"/>.</summary>
    internal static Device Shared()
    {
        lock (Gate)
        {
            if (shared is { IsDisposed: false }) return shared;
            shared = Best(threads: null, TraceLoggerFactory.Instance, logsChoice: true);
            // The shared device is never disposed, and drivers crash if the process ends while they compile.
            if (shared is GpuDevice gpu) AppDomain.CurrentDomain.ProcessExit += (_, _) => gpu.EndLoading();
            return shared;
        }
    }

    /// <summary>
    /// The best device, with a notice of what was passed over because it does not work and, if asked for, of what was taken and why.
    /// </summary>
    private static Device Best(int? threads, ILoggerFactory loggerFactory, bool logsChoice)
    {
        var logger = loggerFactory.CreateLogger<Device>();
        foreach (var found in GpuDevices.All().Where(d => d.Info.IsChosenByItself))
        {
            string problem = found.Info.Problem ?? "";
            try
            {
                if (problem.Length == 0)
                {
                    var gpu = found.Open(loggerFactory);
                    string kind = gpu.Backend == Backends.Cuda ? "NVIDIA GPU" : "GPU with OpenCL";
                    if (logsChoice) DeviceLog.GpuChosen(logger, gpu.ToString(), kind);
                    return gpu;
                }
            }
            catch (DeviceException e)
            {
                problem = e.Message;
            }

            DeviceLog.DevicePassedOver(logger, found.Info.Id, found.Info.Name, problem);
        }

        var processor = new CpuDevice(threads, loggerFactory);
        string reasons = string.Join(" ", GpuDevices.Absences().DefaultIfEmpty("there is none")).TrimEnd('.');
        if (logsChoice) DeviceLog.ProcessorChosen(logger, processor.ToString(), reasons);
        return processor;
    }

    private static DeviceException Unknown(string id, IReadOnlyList<GpuDevices.Entry> devices)
    {
        string absences = string.Join(" ", GpuDevices.Absences()).TrimEnd('.');
        return new DeviceException(
            $"device: '{id}' is not available; available are "
                + $"{string.Join(", ", devices.Select(d => d.Info.Id).Append("cpu"))}{(absences.Length > 0 ? $" ({absences})" : "")}. auto "
                    + "selects the best device that works.")
        { Device = id };
    }
}
