using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// The texts and binaries of a pack. PTX of several architectures mostly differs in its target only, which texts leave out, so that equal
/// ones are stored once.
/// </summary>
internal sealed class PackTexts
{
    /// <summary>Kinds of devices.</summary>
    public const string Cuda = "cuda", OpenCl = "opencl", Cpu = "cpu";

    /// <summary>Architecture of processors behind OpenCL.</summary>
    public const string OpenClCpu = "opencl-cpu";

    private const int MostElementBytes = 256;
    private const string TargetLine = ".target ", AnyTarget = ".target *";
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private static readonly string Kinds = "vilf"; // of KernelParameterKind
    private readonly PackManifest manifest;
    private readonly byte[] content;
    private readonly int[] starts;

    private PackTexts(PackManifest manifest, byte[] content, int[] starts) =>
        (this.manifest, this.content, this.starts) = (manifest, content, starts);

    /// <summary>The parts of a pack, after a check of all that kernels say of them.</summary>
    /// <exception cref="FormatException">A kernel names a part that is not there, or is impossible.</exception>
    public static PackTexts Checked(PackManifest manifest, byte[] content, int[] starts)
    {
        var texts = new PackTexts(manifest, content, starts);
        foreach (var target in manifest.Targets)
        {
            if (target.Kind is not (Cuda or OpenCl or Cpu)) throw new FormatException("a kind of device is unknown");
            foreach (var kernel in target.Kernels)
            {
                if (kernel.Text >= manifest.Blobs.Count || kernel.Binary >= manifest.Blobs.Count)
                    throw new FormatException("a kernel names a part that is not there");
                _ = Parameters(kernel.Parameters);
            }
        }

        return texts;
    }

    /// <summary>The kind of device of a language.</summary>
    public static string KindOf(GpuLanguage language) => language == GpuLanguage.Ptx ? Cuda : OpenCl;

    /// <summary>A text as it is stored.</summary>
    public static byte[] Stored(KernelArtifact artifact, string architecture) => Strict.GetBytes(artifact.Language == GpuLanguage.Ptx
        ? artifact.Text.Replace(TargetLine + architecture, AnyTarget, StringComparison.Ordinal) : artifact.Text);

    /// <summary>A kernel's parameters as text.</summary>
    public static string Text(ImmutableArray<KernelParameter> parameters) => string.Join(' ', parameters.Select(p =>
        string.Create(CultureInfo.InvariantCulture, $"{Kinds[(int)p.Kind]}{p.ElementBytes}")));

    /// <summary>A kernel for a device, with its binary if that is for this driver.</summary>
    public KernelArtifact ArtifactOf(PackManifestTarget found, PackManifestKernel kernel, GpuTarget target)
    {
        string text = Encoding.UTF8.GetString(Part(kernel.Text));
        if (target.Language == GpuLanguage.Ptx) text = text.Replace(AnyTarget, TargetLine + found.Architecture, StringComparison.Ordinal);
        byte[]? binary = kernel.Binary is { } index && kernel.Driver == target.Driver ? Part(index).ToArray() : null;
        return new(target.Language, kernel.Entry, text, binary, Parameters(kernel.Parameters), kernel.Shared, kernel.Group);
    }

    /// <summary>What there is for a device, in numbers.</summary>
    public PackedTarget Describe(PackManifestTarget target) => new(target.Kind, target.Architecture, target.Device, target.Kernels.Count,
        target.Kernels.Count(kernel => kernel.Binary is not null), target.Choices.Count,
        target.Kernels.Sum(kernel => (long)manifest.Blobs[kernel.Text]));

    private ReadOnlySpan<byte> Part(int index) => content.AsSpan(starts[index], manifest.Blobs[index]);

    private static ImmutableArray<KernelParameter> Parameters(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Parameter)];

    private static KernelParameter Parameter(string text)
    {
        int kind = Kinds.IndexOf(text[0], StringComparison.Ordinal);
        bool possible = int.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int bytes)
            && bytes is > 0 and <= MostElementBytes;
        return kind >= 0 && possible ? new((KernelParameterKind)kind, bytes)
            : throw new FormatException("a kernel's parameter is unknown");
    }
}
