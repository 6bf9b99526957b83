using System.Collections.Concurrent;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Compiled kernels, in memory and on disk, so that a second process compiles nothing. Safe for many threads and processes: files are
/// written atomically, and a damaged one is compiled again with a warning.
/// </summary>
internal sealed class ArtifactCache : IArtifactSource
{
    private readonly ConcurrentDictionary<string, Lazy<KernelArtifact>> known = new();
    private readonly ArtifactFolder folder;
    private readonly Func<KernelSource, GpuTarget, KernelArtifact> compile;
    private int read;

    /// <summary>Opens a cache. Nothing is read or created before first use.</summary>
    /// <param name="folder">The folder; null uses <see cref="ArtifactFolder.Default"/>.</param>
    /// <param name="limitBytes">Maximum disk space; the least recently used entries are evicted first.</param>
    /// <param name="compile">Compiles a missing kernel; null uses <see cref="KernelCompiler"/>.</param>
    public ArtifactCache(string? folder = null, long limitBytes = ArtifactFolder.DefaultLimitBytes, Func<KernelSource, GpuTarget, KernelArtifact>? compile = null) =>
        (this.folder, this.compile) = (new ArtifactFolder(folder ?? ArtifactFolder.Default, limitBytes), compile ?? KernelCompiler.Compile);

    /// <summary>The cache shared by all devices.</summary>
    public static ArtifactCache Shared { get; } = new();

    /// <summary>Number of kernels read from disk instead of being compiled.</summary>
    public int Read => Volatile.Read(ref read);

    /// <inheritdoc/>
    public KernelArtifact Get(KernelSource source, GpuTarget target)
    {
        string key = BinaryKey(Key(source, target), target); // binaries are specific to a driver
        var artifact = known.GetOrAdd(key, static (_, state) => new Lazy<KernelArtifact>(() => state.cache.Find(state.source, state.target)), (cache: this, source, target));
        try
        {
            return artifact.Value;
        }
        catch
        {
            known.TryRemove(new(key, artifact)); // failures are not cached: the cause may be temporary
            throw;
        }
    }

    /// <inheritdoc/>
    public bool Has(KernelSource source, GpuTarget target)
    {
        string key = Key(source, target);
        return folder.Has(ArtifactFolder.Name(key, ArtifactFolder.KernelSuffix)) && folder.Has(ArtifactFolder.Name(BinaryKey(key, target), ArtifactFolder.BinarySuffix));
    }

    /// <inheritdoc/>
    public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary)
    {
        string key = BinaryKey(Key(source, target), target);
        if (known.TryGetValue(key, out var artifact) && artifact.IsValueCreated) known[key] = new Lazy<KernelArtifact>(artifact.Value with { Binary = binary }); // for another device of the same target
        folder.Write(ArtifactFolder.Name(key, ArtifactFolder.BinarySuffix), ArtifactFile.Pack(key, writer => writer.Write(binary)));
    }

    /// <summary>The cached features of a device, else what <paramref name="probe"/> returns.</summary>
    /// <param name="device">Everything that the answer depends on: device, driver and version.</param>
    /// <param name="probe">Probes the device.</param>
    public ProbedFeatures Probed(string device, Func<ProbedFeatures> probe)
    {
        string key = $"{typeof(ArtifactCache).Module.ModuleVersionId:N} | probe | {device}", name = ArtifactFolder.Name(key, ArtifactFolder.ProbeSuffix);
        if (folder.Read(name, key, ArtifactFile.ReadProbed) is { } found) return found;
        var made = probe();
        folder.Write(name, ArtifactFile.Pack(key, writer => ArtifactFile.WriteProbed(writer, made)));
        return made;
    }

    /// <summary>Contents of the disk cache.</summary>
    public KernelDiskCacheInfo Info() => folder.Info();

    /// <summary>Deletes all files. Kernels in use stay in memory.</summary>
    /// <returns>Number of files deleted.</returns>
    public int Clear() => folder.Clear();

    private KernelArtifact Find(KernelSource source, GpuTarget target)
    {
        string key = Key(source, target);
        string name = ArtifactFolder.Name(key, ArtifactFolder.KernelSuffix);
        if (folder.Read(name, key, ArtifactFile.ReadArtifact) is { } found)
        {
            Interlocked.Increment(ref read);
            string binaryKey = BinaryKey(key, target);
            return found with { Binary = folder.Read(ArtifactFolder.Name(binaryKey, ArtifactFolder.BinarySuffix), binaryKey, ArtifactFile.ReadRest) };
        }

        var made = compile(source, target);
        folder.Write(name, ArtifactFile.Pack(key, writer => ArtifactFile.WriteArtifact(writer, made)));
        return made;
    }

    // This assembly's version covers the compiler's settings, the intrinsics, the text patches and ILGPU, which is pinned.
    private static string Key(KernelSource source, GpuTarget target) => $"{typeof(ArtifactCache).Module.ModuleVersionId:N} | {source.CodeIdentity} | {target.CodeIdentity}";

    private static string BinaryKey(string key, GpuTarget target) => $"{key} | {target.Driver}";
}
