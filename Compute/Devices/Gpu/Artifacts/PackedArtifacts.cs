using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Compiled kernels that came with a program or a model.</summary>
internal interface IPackedKernels
{
    /// <summary>Where they are, for messages.</summary>
    string Path { get; }

    /// <summary>The kernel of an identity for a device; null if there is none that runs there.</summary>
    /// <param name="id">Hash of <see cref="IArtifactSource.IdentityOf"/>.</param>
    /// <param name="target">The device.</param>
    KernelArtifact? Find(string id, GpuTarget target);
}

/// <summary>A device's kernels: those of its packs, and else those of the cache.</summary>
/// <param name="cache">The cache.</param>
/// <param name="logger">The device's log.</param>
internal sealed class PackedArtifacts(IArtifactSource cache, ILogger logger) : IArtifactSource
{
    private volatile IPackedKernels[] packs = [];
    private int missed;

    /// <summary>Adds a pack after the others.</summary>
    public void Add(IPackedKernels pack)
    {
        lock (cache) packs = [.. packs, pack];
    }

    /// <inheritdoc/>
    public KernelArtifact Get(KernelSource source, GpuTarget target)
    {
        if (packs.Length == 0) return cache.Get(source, target);
        if (Find(source, target) is { } found) return found.Binary is null ? found with { Binary = cache.BinaryOf(source, target) } : found;
        if (!cache.Has(source, target) && Interlocked.Exchange(ref missed, 1) == 0)
            DeviceLog.NotInPack(logger, string.Join(", ", packs.Select(pack => pack.Path)), source.ToString());
        return cache.Get(source, target);
    }

    /// <inheritdoc/>
    public bool Has(KernelSource source, GpuTarget target) =>
        (packs.Length > 0 && Find(source, target) is { } found && (found.Binary is not null || target.Language == GpuLanguage.Ptx))
        || cache.Has(source, target);

    /// <inheritdoc/>
    public string IdentityOf(KernelSource source, GpuLanguage language) => cache.IdentityOf(source, language);

    /// <inheritdoc/>
    public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) => cache.StoreBinary(source, target, binary);

    private KernelArtifact? Find(KernelSource source, GpuTarget target)
    {
        string id = CodeFingerprint.OfText(cache.IdentityOf(source, target.Language));
        foreach (var pack in packs)
            if (pack.Find(id, target) is { } found && found.GroupSize == source.GroupSize) return found;
        return null;
    }
}
