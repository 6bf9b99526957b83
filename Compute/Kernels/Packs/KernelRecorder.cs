using System.Globalization;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Collects the kernels that work on a device needs, for a pack. <see cref="Device"/> compiles them and runs none, so the device itself
/// need not be present. A processor (<c>cpu</c>) has no kernels to compile: only its tuning results are packed.
/// </summary>
public sealed class KernelRecorder : IDisposable
{
    /// <summary>The forms of targets, for messages and help.</summary>
    public const string Forms =
        "cuda:sm_NN (sm_50 to sm_90), cuda:INDEX, opencl:INDEX, opencl:gpu or opencl:cpu (without extensions), or cpu";

    private readonly GpuDevice? atHand;
    private readonly RecordedChoices choices = new();

    private KernelRecorder(string name, Device device, GpuDevice? atHand)
    {
        (Name, Device, this.atHand) = (name, device, atHand);
        if (atHand is not null) device.Tuning = atHand.Tuning;
        device.Kernels.Chosen = choices.Add;
    }

    /// <summary>The target's name, such as <c>cuda:sm_90</c>.</summary>
    public string Name { get; }

    /// <summary>The device to give the work to.</summary>
    public Device Device { get; }

    /// <summary>Number of kernels so far.</summary>
    public int Kernels => (Device as RecordingDevice)?.Recorded.Count ?? 0;

    /// <summary>Prepares recording for a target.</summary>
    /// <param name="target">
    /// <c>cuda:sm_80</c>: any GPU of an architecture or a later one; <c>cuda:0</c>, <c>opencl:0</c>: a device of this machine, with its
    /// driver's binaries; <c>opencl:gpu</c>, <c>opencl:cpu</c>: any such device, with code that needs no extension; <c>cpu</c>.
    /// </param>
    /// <param name="loggerFactory">Makes the device's loggers.</param>
    /// <exception cref="ArgumentException">The target has none of these forms.</exception>
    /// <exception cref="DeviceException">The device is not present or cannot be used.</exception>
    public static KernelRecorder Open(string target, ILoggerFactory? loggerFactory = null) =>
        Open(target, ArtifactCache.Shared, loggerFactory);

    internal static KernelRecorder Open(string target, IArtifactSource artifacts, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        string name = target.ToLowerInvariant();
        if (name == PackTexts.Cpu) return new(name, DeviceCatalog.Open(name, loggerFactory: loggerFactory), null);
        string[] parts = name.Split(':');
        string index = parts.Length == 1 ? "0" : parts[1];
        if (parts.Length > 2 || parts[0] is not (PackTexts.Cuda or PackTexts.OpenCl)) throw Unknown(target);
        if (int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            var opened = (GpuDevice)DeviceCatalog.Open(name, loggerFactory: loggerFactory);
            return new(name, new RecordingDevice(opened.Id, opened.Name, opened.Target, opened.Units, artifacts, loggerFactory), opened);
        }

        var (described, units) = (parts[0], index) switch
        {
            (PackTexts.Cuda, _) when CudaArchitectures.Find(index) is { } known => (known.Target, known.Multiprocessors),
            (PackTexts.OpenCl, "gpu") => (new GpuTarget(GpuLanguage.OpenCl, "opencl-gpu", NativeHalf: true, IsCpu: false,
                MaxGroupSize: 256, LocalMemoryBytes: 32 << 10, Driver: ""), 32),
            (PackTexts.OpenCl, "cpu") => (GpuTarget.OpenClCpu(), 16),
            _ => throw Unknown(target),
        };
        return new(name, new RecordingDevice(name, described.Architecture, described, units, artifacts, loggerFactory), null);
    }

    /// <summary>Closes the device.</summary>
    public void Dispose()
    {
        Device.Dispose();
        atHand?.Dispose();
    }

    /// <summary>What was recorded.</summary>
    /// <param name="add">Stores a text or binary and returns its index.</param>
    internal PackManifestTarget Finish(Func<byte[], int> add)
    {
        if (Device is not RecordingDevice recording)
            return new(PackTexts.Cpu, Device.Architecture, "", Device.TuningName, [], Device.Tuning.Own);
        var target = recording.Target;
        foreach (var source in recording.Recorded.Keys) atHand?.Begin(source); // on all threads
        PackManifestKernel[] kernels = [.. recording.Recorded.Select(pair => Kernel(pair.Key, pair.Value, target, add))
            .OrderBy(kernel => kernel.Name, StringComparer.Ordinal).ThenBy(kernel => kernel.Id, StringComparer.Ordinal)];
        return new(PackTexts.KindOf(target.Language), target.Architecture, target.Features.CodeIdentity,
            atHand is null ? "" : target.Driver, kernels, choices.Entries);
    }

    private string IdOf(KernelSource source) => CodeFingerprint.OfText(((RecordingDevice)Device).IdentityOf(source));

    private PackManifestKernel Kernel(KernelSource source, KernelArtifact artifact, GpuTarget target, Func<byte[], int> add)
    {
        if (atHand is not null)
        {
            atHand.Function(source); // the driver's binary exists once it is loaded
            artifact = atHand.ArtifactOf(source);
        }

        return new(IdOf(source), source.ToString(), artifact.Entry, PackTexts.Text(artifact.Parameters), artifact.SharedBytes,
            artifact.GroupSize, add(PackTexts.Stored(artifact, target.Architecture)),
            artifact.Binary is { Length: > 0 } binary ? add(binary) : null, artifact.Binary is { Length: > 0 } ? target.Driver : null);
    }

    private static ArgumentException Unknown(string target) =>
        new($"target is {OutsideText.Quote(target)}; it must be {Forms}. CUDA code of sm_90 runs on every later architecture.");
}
