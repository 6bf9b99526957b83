using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

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
    private readonly KernelIdentities identities;
    private readonly ConditionalWeakTable<ILoggerFactory, ArtifactCacheLog> logs = new();

    /// <summary>Opens a cache. Nothing is read or created before first use.</summary>
    /// <param name="folder">The folder; null uses <see cref="ArtifactFolder.Default"/>.</param>
    /// <param name="limitBytes">Maximum disk space; the least recently used entries are evicted first.</param>
    /// <param name="compile">Compiles a missing kernel; null uses <see cref="KernelCompiler"/>.</param>
    /// <param name="fingerprint">Hash of a kernel's code; null uses <see cref="KernelSource.Fingerprint"/>.</param>
    public ArtifactCache(string? folder = null, long limitBytes = ArtifactFolder.DefaultLimitBytes,
        Func<KernelSource, GpuTarget, KernelArtifact>? compile = null, Func<KernelSource, string>? fingerprint = null)
    {
        (this.folder, this.compile) = (new ArtifactFolder(folder ?? ArtifactFolder.Default, limitBytes), compile ?? KernelCompiler.Compile);
        identities = new KernelIdentities(this.folder, fingerprint ?? (static source => source.Fingerprint));
    }

    /// <summary>The cache shared by all devices.</summary>
    public static ArtifactCache Shared { get; } = new();

    /// <inheritdoc/>
    public IArtifactSource For(ILoggerFactory loggerFactory) => new Logged(this, LogOf(loggerFactory));

    /// <inheritdoc/>
    public KernelArtifact Get(KernelSource source, GpuTarget target) => Get(source, target, LogOf(TraceLoggerFactory.Instance));

    private KernelArtifact Get(KernelSource source, GpuTarget target, ArtifactCacheLog log)
    {
        string key = BinaryKey(Key(source, target, log), target); // each driver has binaries of its own
        var artifact = known.GetOrAdd(
            key,
            static (_, state) => new Lazy<KernelArtifact>(() => state.cache.Find(state.source, state.target, state.log)),
            (cache: this, source, target, log));
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
    public bool Has(KernelSource source, GpuTarget target) => Has(source, target, LogOf(TraceLoggerFactory.Instance));

    private bool Has(KernelSource source, GpuTarget target, ArtifactCacheLog log)
    {
        string key = Key(source, target, log);
        return folder.Has(ArtifactFolder.Name(key, ArtifactFolder.KernelSuffix))
            && folder.Has(ArtifactFolder.Name(BinaryKey(key, target), ArtifactFolder.BinarySuffix));
    }

    /// <inheritdoc/>
    public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) =>
        StoreBinary(source, target, binary, LogOf(TraceLoggerFactory.Instance));

    private void StoreBinary(KernelSource source, GpuTarget target, byte[] binary, ArtifactCacheLog log)
    {
        string key = BinaryKey(Key(source, target, log), target);
        // for another device of the kind
        if (known.TryGetValue(key, out var artifact) && artifact.IsValueCreated)
            known[key] = new Lazy<KernelArtifact>(artifact.Value with { Binary = binary });
        folder.Write(ArtifactFolder.Name(key, ArtifactFolder.BinarySuffix), ArtifactFile.Pack(key, writer => writer.Write(binary)), log);
    }

    /// <inheritdoc/>
    public byte[]? BinaryOf(KernelSource source, GpuTarget target) => BinaryOf(source, target, LogOf(TraceLoggerFactory.Instance));

    private byte[]? BinaryOf(KernelSource source, GpuTarget target, ArtifactCacheLog log)
    {
        string key = BinaryKey(Key(source, target, log), target);
        return folder.Read(ArtifactFolder.Name(key, ArtifactFolder.BinarySuffix), key, ArtifactFile.ReadRest, log);
    }

    /// <inheritdoc/>
    public string IdentityOf(KernelSource source, GpuLanguage language) =>
        identities.Of(source, language, LogOf(TraceLoggerFactory.Instance));

    /// <summary>The cached features of a device, else what <paramref name="probe"/> returns.</summary>
    /// <param name="device">Everything that the answer depends on: device, driver and version.</param>
    /// <param name="probe">Probes the device.</param>
    /// <param name="loggerFactory">Creates the caller's logger.</param>
    public ProbedFeatures Probed(string device, Func<ProbedFeatures> probe, ILoggerFactory loggerFactory)
    {
        var log = LogOf(loggerFactory);
        string key = $"{typeof(ArtifactCache).Module.ModuleVersionId:N} | probe | {device}",
            name = ArtifactFolder.Name(key, ArtifactFolder.ProbeSuffix);
        if (folder.Read(name, key, ArtifactFile.ReadProbed, log) is { } found) return found;
        var made = probe();
        folder.Write(name, ArtifactFile.Pack(key, writer => ArtifactFile.WriteProbed(writer, made)), log);
        return made;
    }

    /// <summary>Contents of the disk cache.</summary>
    public KernelDiskCacheInfo Info() => folder.Info();

    /// <summary>Deletes all files. Kernels in use stay in memory.</summary>
    /// <returns>Number of files deleted.</returns>
    public int Clear() => folder.Clear();

    private KernelArtifact Find(KernelSource source, GpuTarget target, ArtifactCacheLog log)
    {
        string key = Key(source, target, log);
        string name = ArtifactFolder.Name(key, ArtifactFolder.KernelSuffix);
        if (folder.Read(name, key, ArtifactFile.ReadArtifact, log) is { } found)
            return found with { Binary = BinaryOf(source, target, log) };
        var made = compile(source, target);
        folder.Write(name, ArtifactFile.Pack(key, writer => ArtifactFile.WriteArtifact(writer, made)), log);
        return made;
    }

    private ArtifactCacheLog LogOf(ILoggerFactory factory) => logs.GetValue(factory, static f => new(f.CreateLogger<Device>()));

    private string Key(KernelSource source, GpuTarget target, ArtifactCacheLog log) =>
        $"{identities.Of(source, target.Language, log)} | {target.CodeIdentity}";

    private static string BinaryKey(string key, GpuTarget target) => $"{key} | {target.Driver}";

    /// <summary>The cache with the log of one device.</summary>
    private sealed class Logged(ArtifactCache cache, ArtifactCacheLog log) : IArtifactSource
    {
        public KernelArtifact Get(KernelSource source, GpuTarget target) => cache.Get(source, target, log);

        public bool Has(KernelSource source, GpuTarget target) => cache.Has(source, target, log);

        public byte[]? BinaryOf(KernelSource source, GpuTarget target) => cache.BinaryOf(source, target, log);

        public string IdentityOf(KernelSource source, GpuLanguage language) => cache.identities.Of(source, language, log);

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) => cache.StoreBinary(source, target, binary, log);
    }
}
