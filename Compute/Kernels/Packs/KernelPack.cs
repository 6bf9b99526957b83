using System.Reflection;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>What a pack has for one kind of device.</summary>
/// <param name="Kind"><c>cuda</c>, <c>opencl</c> or <c>cpu</c>.</param>
/// <param name="Architecture">The architecture of its code, such as <c>sm_80</c>; CUDA code runs on every later one.</param>
/// <param name="Device">The device and driver that its binaries are for; empty if it has none.</param>
/// <param name="Kernels">Number of kernels.</param>
/// <param name="Binaries">Number of them with a driver binary.</param>
/// <param name="Choices">Number of size classes with a chosen variant and tiles.</param>
/// <param name="TextBytes">Size of the texts before compression.</param>
public sealed record PackedTarget(string Kind, string Architecture, string Device, int Kernels, int Binaries, int Choices,
    long TextBytes);

/// <summary>
/// A file with what a first start on a device computes: compiled kernels, and the variant and tiles chosen for each size class.
/// <c>ilgd pack</c> makes it. Its contents are run by drivers, as a program is: use packs from sources that you trust as you trust
/// programs. The checksum detects damage, not malice. Immutable and thread-safe.
/// </summary>
public sealed class KernelPack : IPackedKernels
{
    /// <summary>The extension of pack files.</summary>
    public const string Extension = ".ilgpack";

    private const string Again = "Make it again with ilgd pack.";
    private readonly PackManifest manifest;
    private readonly PackTexts texts;
    private readonly (PackManifestTarget Target, Dictionary<string, PackManifestKernel> Kernels)[] targets;

    private KernelPack(string path, long bytes, PackManifest manifest, PackTexts texts)
    {
        (Path, Bytes, this.manifest, this.texts) = (path, bytes, manifest, texts);
        targets = [.. manifest.Targets.Select(target => (target, ById(target)))];
        Targets = [.. manifest.Targets.Select(texts.Describe)];
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Version of the library that made it.</summary>
    public string Library => manifest.Library;

    /// <summary>The models that it was made for.</summary>
    public IReadOnlyList<PackedModel> Models => manifest.Models;

    /// <summary>The devices that it was made for.</summary>
    public IReadOnlyList<PackedTarget> Targets { get; }

    /// <summary>Version of this library, as packs store it.</summary>
    internal static string ThisLibrary =>
        typeof(KernelPack).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Reads a pack whole. Nothing of it runs until a device uses it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="KernelPackException">It is missing, no pack, damaged, or of another format.</exception>
    public static KernelPack Open(string path)
    {
        try
        {
            return Read(path, InputFile.ReadAllBytes(path, PackFile.MostFileBytes));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new KernelPackException(path, "there is no such file.", e);
        }
        catch (Exception e) when (e is (IOException and not KernelPackException) or UnauthorizedAccessException)
        {
            throw new KernelPackException(path, $"it cannot be read: {OutsideText.Message(e.Message)}", e);
        }
    }

    /// <summary>Whether a file begins as packs do.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static bool IsPack(string path)
    {
        if (InputFile.Kind(path) != FileKind.Regular) return false;
        using var stream = InputFile.Open(path);
        byte[] start = new byte[PackFile.HeadBytes];
        return PackFile.IsPack(start.AsSpan(0, stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)));
    }

    /// <summary>Reads a pack's bytes.</summary>
    internal static KernelPack Read(string path, byte[] file)
    {
        try
        {
            var (manifest, content, starts) = PackFile.Read(file);
            return new(path, file.Length, manifest, PackTexts.Checked(manifest, content, starts));
        }
        catch (FormatException e)
        {
            throw new KernelPackException(path, $"{OutsideText.Message(e.Message)}. {Again}", e);
        }
    }

    /// <summary>Why the pack is of no use on a device, and what to do; null if it is of use.</summary>
    public string? ProblemOn(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (Library != ThisLibrary)
            return $"it was made by version {OutsideText.Quote(Library)} of the library, and this is {ThisLibrary}. {Again}";
        return targets.Any(t => Suits(t.Target, device)) ? null
            : $"it has nothing for {device.Id} ({device.Backend.ToString().ToLowerInvariant()}, {device.Architecture}), only for "
                + $"{OutsideText.List([.. manifest.Targets.Select(t => $"{t.Kind} {t.Architecture}")])}. Make one for it with ilgd pack.";
    }

    /// <inheritdoc/>
    KernelArtifact? IPackedKernels.Find(string id, GpuTarget target)
    {
        // the newest architecture at or below the device's comes first
        foreach (var (found, kernels) in targets.Where(t => Suits(t.Target, target)).OrderByDescending(t => Number(t.Target.Architecture)))
        {
            if (!kernels.TryGetValue(id, out var kernel)) continue;
            var artifact = texts.ArtifactOf(found, kernel, target);
            if (target.Language == GpuLanguage.Ptx || found.Features == target.Features.CodeIdentity
                || !artifact.Text.Contains("ilgd_", StringComparison.Ordinal)) return artifact;
        }

        return null;
    }

    /// <summary>The choices for a device: those made for its architecture, or for the newest before it.</summary>
    internal IReadOnlyList<TuningEntry> ChoicesFor(Device device) =>
        targets.Where(t => Suits(t.Target, device) && (device is not GpuDevice { Target: { Language: GpuLanguage.OpenCl } target }
            || t.Target.Features == target.Features.CodeIdentity))
            .OrderByDescending(t => t.Target.Architecture == device.Architecture).ThenByDescending(t => Number(t.Target.Architecture))
            .FirstOrDefault().Target?.Choices ?? [];

    private static bool Suits(PackManifestTarget found, Device device) => device is GpuDevice gpu ? Suits(found, gpu.Target)
        : found.Kind == PackTexts.Cpu && found.Architecture == device.Architecture;

    private static bool Suits(PackManifestTarget found, GpuTarget target)
    {
        if (found.Kind != PackTexts.KindOf(target.Language)) return false;
        if (target.Language == GpuLanguage.OpenCl) return (found.Architecture == PackTexts.OpenClCpu) == target.IsCpu;
        return found.Architecture == target.Architecture
            || (Number(found.Architecture) is > 0 and var number && number <= Number(target.Architecture));
    }

    /// <summary>90 of <c>sm_90</c>; 0 for others, such as <c>sm_90a</c>, whose code runs on no other architecture.</summary>
    private static int Number(string architecture) => architecture.StartsWith("sm_", StringComparison.Ordinal)
        && int.TryParse(architecture.AsSpan(3), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture,
            out int number) ? number : 0;

    private static Dictionary<string, PackManifestKernel> ById(PackManifestTarget target)
    {
        var byId = new Dictionary<string, PackManifestKernel>(StringComparer.Ordinal);
        foreach (var kernel in target.Kernels) byId.TryAdd(kernel.Id, kernel);
        return byId;
    }
}
