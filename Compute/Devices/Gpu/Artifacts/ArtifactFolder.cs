using System.IO.Hashing;
using System.Text;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A folder of cache files that many processes of one user share. No failure of the disk stops the work: it is logged once (<see
/// cref="ArtifactCacheLog"/>), and kernels are then compiled. So it is where the folder or a file in it may be somebody else's work (<see
/// cref="OwnFiles"/>), because what lies here is run.
/// </summary>
/// <param name="path">The folder, made when first written to; null for none.</param>
/// <param name="limitBytes">Most bytes of all files together.</param>
internal sealed class ArtifactFolder(string? path, long limitBytes)
{
    /// <summary>How much disk space the cache takes at most, unless said otherwise.</summary>
    public const long DefaultLimitBytes = 256L << 20;

    /// <summary>Ends of the names of generated texts and of what drivers made of them.</summary>
    public const string KernelSuffix = ".kernel", BinarySuffix = ".binary";

    /// <summary>End of the names of what was found out about a device.</summary>
    public const string ProbeSuffix = ".probe";

    private const string TemporarySuffix = ".tmp";
    private static readonly TimeSpan UseIsNoted = TimeSpan.FromHours(12), TemporaryLives = TimeSpan.FromHours(1);
    private long bytesUntilTrim;

    /// <summary>The folder of compiled kernels in the <see cref="CacheFolder"/>; null where nothing is to be kept on disk.</summary>
    public static string? Default => CacheFolder.Sub("kernels");

    /// <summary>The name of a key's file.</summary>
    public static string Name(string key, string suffix) => Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(key))) + suffix;

    /// <summary>Whether there is such a file.</summary>
    public bool Has(string name) => path is not null && Path.Combine(path, name) is var file && File.Exists(file) && OwnFiles.FileProblem(file) is null;

    /// <summary>What a file holds, or null where there is none. A damaged one is removed, with a warning.</summary>
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
            if (DateTime.UtcNow - file.LastWriteTimeUtc > UseIsNoted) file.LastWriteTimeUtc = DateTime.UtcNow; // eviction goes by this
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

    /// <summary>Writes a file whole, or not at all; then makes room if there is too much.</summary>
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

    /// <summary>What lies here.</summary>
    public KernelDiskCacheInfo Info()
    {
        var files = Files();
        return new(path, files.Count(f => f.Extension == KernelSuffix), files.Count(f => f.Extension == BinarySuffix), files.Sum(f => f.Length), limitBytes);
    }

    /// <summary>Removes all files of the cache; other files stay.</summary>
    /// <returns>How many files went.</returns>
    /// <exception cref="IOException">Some could not be removed; all others were.</exception>
    public int Clear() => Clear(file => file.Delete());

    /// <summary>As <see cref="Clear()"/>, with another way to remove a file.</summary>
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

        return failures.Count == 0 ? removed : throw new IOException($"kernel cache: {removed} file(s) removed, {failures.Count} not ({failures[0].Message})", failures[0]);
    }

    // An eighth of the room is freed beyond what must be, so that not every write has to look through the folder.
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
        ? [.. new DirectoryInfo(path).GetFiles().Where(f => f.Extension is KernelSuffix or BinarySuffix or ProbeSuffix or TemporarySuffix)]
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
