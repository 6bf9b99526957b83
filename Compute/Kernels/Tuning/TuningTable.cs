using System.Text.RegularExpressions;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Tuning results of one device: the user's own, written by <c>ilgd tune</c> and by tuning compilations, take precedence over those shipped
/// for the device's architecture. A file that cannot be read is skipped with a warning in the device's log. Safe for use by several threads
/// and processes.
/// </summary>
public sealed partial class TuningTable
{
    private const string FolderName = "tuning";
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);
    private readonly Device? device;
    private readonly TuningResults own = new(), packed = new(), shipped = new();
    private readonly List<TuningEntry> unsaved = [];
    private readonly List<string> warnings = [];
    private readonly Lock gate = new();

    private TuningTable(Device? device, string? path) => (this.device, Path) = (device, path);

    /// <summary>An empty table, which stores nothing: kernels are chosen untuned.</summary>
    public static TuningTable None { get; } = new(null, null);

    /// <summary>The user's file; null if nothing is kept on disk. It need not exist.</summary>
    public string? Path { get; }

    /// <summary>Which files could not be used, and why.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            lock (gate) return [.. warnings];
        }
    }

    /// <summary>The user's results.</summary>
    public IReadOnlyList<TuningEntry> Own => own.All;

    /// <summary>Reads a device's tables.</summary>
    /// <param name="device">The device.</param>
    /// <param name="folder">Folder of users' files; null is <c>tuning</c> in the <see cref="CacheFolder"/>.</param>
    /// <param name="withShipped">Whether to include the shipped results.</param>
    public static TuningTable Open(Device device, string? folder = null, bool withShipped = true)
    {
        folder ??= CacheFolder.Sub(FolderName);
        var table = new TuningTable(device, folder is null ? null : System.IO.Path.Combine(folder, FileName(device)));
        if (withShipped) table.shipped.Add(ReadShipped(device)?.Entries ?? []);
        try
        {
            table.own.Add(table.ReadOwn());
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            table.Warn(e);
        }

        return table;
    }

    /// <summary>Op, element types and size class of a call: calls of one class share a result. Null if there is nothing to tune.</summary>
    public static SizeClass? ClassOf(OpSignature signature) =>
        TuningKey.Of(signature) is var (key, rows) ? new(key.Op, key.DTypes, new ShapeBucket(rows, key.Shape)) : null;

    /// <summary>The usable result for a call's size class, or for the nearest one within a factor of two; null if there is none.</summary>
    public KernelChoice? Find(OpSignature signature)
    {
        if (device is null || TuningKey.Of(signature) is not var (key, rows)) return null;
        return Choice(own.Nearest(key, rows), signature) ?? Choice(packed.Exact(key, rows), signature)
            ?? Choice(shipped.Nearest(key, rows), signature);
    }

    /// <summary>The user's usable result for a call's own size class; null if there is none.</summary>
    public TuningEntry? FindOwn(OpSignature signature) =>
        TuningKey.Of(signature) is var (key, rows) && own.Exact(key, rows) is { } entry && Choice(entry, signature) is not null ? entry
            : null;

    /// <summary>Adds a result; <see cref="Save"/> writes it.</summary>
    /// <exception cref="ArgumentException">The call's op has nothing to tune.</exception>
    public TuningEntry Add(OpSignature signature, KernelChoice choice, double defaultSeconds, double seconds)
    {
        var (key, rows) = TuningKey.Of(signature)
            ?? throw new ArgumentException($"{signature.Op.Name} has nothing to tune.", nameof(signature));
        var entry = new TuningEntry(
            key.Op, key.DTypes.ToString(), rows, key.Shape.ToString(), key.Revision, choice.Variant.Name, choice.Settings.Values,
            Math.Round(defaultSeconds * 1e6, 1), Math.Round(seconds * 1e6, 1));
        lock (gate) unsaved.Add(entry);
        own.Add([entry]);
        return entry;
    }

    /// <summary>Adds the choices of a pack: they hold for their own size classes, after the user's results.</summary>
    internal void AddPacked(IEnumerable<TuningEntry> choices)
    {
        if (device is not null) packed.Add(choices);
    }

    /// <summary>
    /// Merges new results into the user's file, atomically, keeping what other processes wrote meanwhile. Does nothing if nothing is kept
    /// on disk.
    /// </summary>
    /// <exception cref="IOException">The file cannot be read or written; it is unchanged, and new results can be saved later.</exception>
    public void Save()
    {
        lock (gate)
        {
            if (Path is null || device is null || unsaved.Count == 0) return;
            string folder = System.IO.Path.GetDirectoryName(Path)!;
            OwnFiles.CreateFolder(folder);
            if (OwnFiles.FolderProblem(folder) is { } problem)
                throw new IOException($"tuning table {Path} is not written, because it would not be used: {problem}.");
            using var turn = WaitForTurn(Path + ".lock");
            try
            {
                own.Add(ReadOwn());
            }
            catch (FormatException e) // only a malformed file is moved away: one that cannot be read at the moment may be valid
            {
                Warn(e);
                File.Move(Path, Path + ".unusable", overwrite: true);
            }

            own.Add(unsaved);
            var file = new TuningFile(TuningFile.FormatName, TuningFile.FormatVersion, BackendName(device), device.Architecture,
                device.TuningName, own.All);
            AtomicFile.Write(Path, stream => stream.Write(file.ToUtf8()));
            OwnFiles.Claim(Path);
            unsaved.Clear();
        }
    }

    private KernelChoice? Choice(TuningEntry? entry, OpSignature signature)
    {
        if (entry is null || signature.Op.Kernels.Candidates(device!, signature)
            .FirstOrDefault(v => v.Name == entry.Variant) is not { } variant) return null;
        var settings = KernelSettings.Of(entry.Settings);
        return variant.Tuning.Accepts(device!, signature, settings) ? new KernelChoice(variant, settings) : null;
    }

    /// <summary>The user's results in the file at present; empty if there is no file.</summary>
    /// <exception cref="FormatException">The file is no table of this device.</exception>
    /// <exception cref="IOException">It cannot be read, or another user may have written it.</exception>
    private IReadOnlyList<TuningEntry> ReadOwn()
    {
        if (Path is null || !File.Exists(Path)) return [];
        if (OwnFiles.FileProblem(Path) is { } problem) throw new IOException(problem);
        var file = TuningFile.Parse(InputFile.ReadAllBytes(Path, TuningFile.MostBytes));
        string found = $"{file.Backend} {file.Architecture}, {file.Device}",
            expected = $"{BackendName(device!)} {device!.Architecture}, {device.TuningName}";
        return found == expected ? file.Entries : throw new FormatException($"it was measured on {found}; this is {expected}");
    }

    /// <summary>Warns once why the user's file is not used.</summary>
    private void Warn(Exception problem)
    {
        string reason = problem.Message.TrimEnd('.');
        string warning = $"tuning table {Path} is not used: {reason}. Delete it, or measure again with ilgd tune.";
        lock (gate)
        {
            if (warnings.Contains(warning)) return;
            warnings.Add(warning);
        }

        KernelLog.TuningTableNotUsed(device!.LoggerFactory.CreateLogger<TuningTable>(), Path!, reason);
    }

    private static TuningFile? ReadShipped(Device device)
    {
        using var stream = typeof(TuningTable).Assembly.GetManifestResourceStream(
            $"tuning/{BackendName(device)}-{device.Architecture}.json");
        if (stream is null) return null;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return TuningFile.Parse(bytes);
    }

    /// <summary>
    /// Takes the lock: one process at a time reads, merges and writes. The lock file is never deleted, or two processes could each hold
    /// one.
    /// </summary>
    private static FileStream WaitForTurn(string path)
    {
        for (var clock = System.Diagnostics.Stopwatch.StartNew(); ; Thread.Sleep(5))
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (clock.Elapsed < LongestWait)
            {
            }
        }
    }

    private static string BackendName(Device device) => device.Backend.ToString().ToLowerInvariant();

    /// <summary>
    /// Readable and unique per device: <c>cpu-simd512-some-processor-2-threads-1a2b3c4d.v1.json</c>. Later versions of the format use other
    /// files.
    /// </summary>
    private static string FileName(Device device)
    {
        const int MostLetters = 48;
        string slug = NotPlain().Replace($"{BackendName(device)} {device.Architecture} {device.TuningName}".ToLowerInvariant(), "-")
            .Trim('-');
        byte[] hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(device.TuningName));
        if (slug.Length > MostLetters) slug = slug[..MostLetters].TrimEnd('-');
        return $"{slug}-{Convert.ToHexStringLower(hash)[..8]}.v{TuningFile.FormatVersion}.json";
    }

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NotPlain();
}
