using System.IO.Hashing;
using System.Text;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A folder of cache files shared by all processes of a user. Disk errors do not stop the work: they are reported once, and kernels are
/// compiled instead. The same applies if another user may have written the folder or a file in it (<see cref="OwnFiles"/>), because its
/// contents are executed.
/// </summary>
/// <param name="path">The folder, created on the first write; null for none.</param>
/// <param name="limitBytes">Maximum total size of all files.</param>
internal sealed class ArtifactFolder(string? path, long limitBytes)
{
    /// <summary>Default maximum size of the cache.</summary>
    public const long DefaultLimitBytes = 256L << 20;

    /// <summary>File name suffixes of generated texts and of driver binaries.</summary>
    public const string KernelSuffix = ".kernel", BinarySuffix = ".binary";

    /// <summary>File name suffix of probed device features.</summary>
    public const string ProbeSuffix = ".probe";

    /// <summary>File name suffix of hashes of kernels' code.</summary>
    public const string IdentitySuffix = ".identity";

    private const string TemporarySuffix = ".tmp";
    private static readonly TimeSpan UseIsNoted = TimeSpan.FromHours(12), TemporaryLives = TimeSpan.FromHours(1);
    private long bytesUntilTrim;

    /// <summary>The folder of compiled kernels in the <see cref="CacheFolder"/>; null if nothing is kept on disk.</summary>
    public static string? Default => CacheFolder.Sub("kernels");

    /// <summary>File name of a key.</summary>
    public static string Name(string key, string suffix) => Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(key))) + suffix;

    /// <summary>Whether a file exists and may be used.</summary>
    public bool Has(string name) =>
        path is not null && Path.Combine(path, name) is var file && File.Exists(file) && OwnFiles.FileProblem(file) is null;

    /// <summary>Contents of a file, or null if there is none. A damaged file is deleted, with a warning.</summary>
    public T? Read<T>(string name, string key, Func<BinaryReader, T> read, ArtifactCacheLog log) where T : class
    {
        if (path is null) return null;
        var file = new FileInfo(Path.Combine(path, name));
        try
        {
            if (!file.Exists) return null;
            if (OwnFiles.FileProblem(file.FullName) is { } problem)
            {
                log.NotTrusted(problem);
                return null;
            }

            var content = ArtifactFile.Unpack(File.ReadAllBytes(file.FullName), key, read);
            if (DateTime.UtcNow - file.LastWriteTimeUtc > UseIsNoted) file.LastWriteTimeUtc = DateTime.UtcNow; // eviction order
            return content;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException)
        {
            log.Damaged(file.FullName, e);
            TryDelete(file);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (e is not FileNotFoundException and not DirectoryNotFoundException) log.Unreadable(file.FullName, e);
            return null;
        }
    }

    /// <summary>Writes a file atomically, then evicts old files if the folder is too large.</summary>
    public void Write(string name, byte[] content, ArtifactCacheLog log)
    {
        if (path is null) return;
        string temporary = Path.Combine(path, $"{Guid.NewGuid():n}{TemporarySuffix}"), target = Path.Combine(path, name);
        try
        {
            OwnFiles.CreateFolder(path);
            if (OwnFiles.FolderProblem(path) is { } problem)
            {
                log.NotTrusted(problem); // whoever reads it would not use it either
                return;
            }

            using (var stream = new FileStream(temporary, OwnFiles.Creation)) stream.Write(content);
            File.Move(temporary, target, overwrite: true);
            if (Interlocked.Add(ref bytesUntilTrim, -content.Length) < 0) Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(new FileInfo(temporary));
            if (!File.Exists(target)) log.Unwritable(target, e);
        }
    }

    /// <summary>Contents of the folder.</summary>
    public KernelDiskCacheInfo Info()
    {
        var files = Files();
        return new(path, files.Count(f => f.Extension == KernelSuffix), files.Count(f => f.Extension == BinarySuffix),
            files.Sum(f => f.Length), limitBytes);
    }

    /// <summary>Deletes all files of the cache; other files stay.</summary>
    /// <returns>Number of files deleted.</returns>
    /// <exception cref="IOException">Some could not be deleted; all others were.</exception>
    public int Clear() => Clear(file => file.Delete());

    /// <summary>As <see cref="Clear()"/>, with a replacement for deletion in tests.</summary>
    internal int Clear(Action<FileInfo> delete)
    {
        int removed = 0;
        var failures = new List<Exception>();
        foreach (var file in Files())
        {
            try
            {
                delete(file);
                removed++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failures.Add(e);
            }
        }

        return failures.Count == 0 ? removed
            : throw new IOException($"kernel cache: {removed} file(s) removed, {failures.Count} not ({failures[0].Message})", failures[0]);
    }

    // Frees an eighth more than necessary, so that not every write has to scan the folder.
    private void Trim()
    {
        var files = Files().OrderBy(f => f.LastWriteTimeUtc).ToList();
        long bytes = files.Sum(f => f.Length), slack = limitBytes / 8;
        bool tooMuch = bytes > limitBytes;
        foreach (var file in files)
        {
            bool abandoned = file.Extension == TemporarySuffix && DateTime.UtcNow - file.LastWriteTimeUtc > TemporaryLives;
            if (!abandoned && !(tooMuch && bytes > limitBytes - slack)) continue;
            long length = file.Length;
            if (TryDelete(file)) bytes -= length;
        }

        Interlocked.Exchange(ref bytesUntilTrim, Math.Min(slack, Math.Max(0, limitBytes - bytes)));
    }

    private FileInfo[] Files() => path is not null && Directory.Exists(path)
        ? [.. new DirectoryInfo(path).GetFiles().Where(f => f.Extension is KernelSuffix or BinarySuffix or ProbeSuffix or IdentitySuffix
            or TemporarySuffix)]
        : [];

    private static bool TryDelete(FileInfo file)
    {
        try
        {
            file.Delete();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // in use, or already gone
        }
    }
}
