using System.Text;
using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// The Hugging Face Hub's cache on disk: <c>models--owner--name/refs/main</c> names the folder in <c>snapshots</c> that holds the model.
/// </summary>
internal static partial class HubCache
{
    private const string Snapshots = "snapshots", EntryPrefix = "models--";
    private const int LongestRevision = 255;

    /// <summary>The snapshot to load if the folder is an entry of the cache; any other folder unchanged.</summary>
    /// <exception cref="ModelFileException">The entry has no snapshot, or several and no reference to one.</exception>
    public static string Resolve(string path)
    {
        string snapshots = Path.Combine(path, Snapshots);
        if (!Directory.Exists(snapshots) || File.Exists(Path.Combine(path, "model_index.json"))) return path;
        string reference = Path.Combine(path, "refs", "main");
        if (File.Exists(reference))
        {
            string revision = ReadRevision(reference), snapshot = Path.Combine(snapshots, revision);
            return Directory.Exists(snapshot) ? snapshot
                : throw new ModelFileException(reference,
                    $"names the snapshot {Text.Quote(revision)}, which does not exist (is the download complete?).");
        }

        string[] all = Directory.GetDirectories(snapshots);
        return all.Length == 1 ? all[0]
            : throw new ModelFileException(path, all.Length == 0 ? "has no snapshot (is the download complete?)."
                : $"has {all.Length} snapshots and no refs/main that names one: {Names(all)}. Give the folder of one.");
    }

    /// <summary>The folder's name; for a snapshot in the cache the model's name, <c>owner/name</c>.</summary>
    public static string NameOf(string folder)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        string? parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (Path.GetFileName(parent) != Snapshots) return name;
        string? entry = Path.GetFileName(Path.GetDirectoryName(parent));
        return entry?.StartsWith(EntryPrefix, StringComparison.Ordinal) == true
            ? entry[EntryPrefix.Length..].Replace("--", "/", StringComparison.Ordinal) : name;
    }

    /// <summary>Whether this could be the name of a model on the Hub: <c>owner/name</c>.</summary>
    public static bool IsHubName(string path) => HubName().IsMatch(path);

    private static string Names(string[] folders) =>
        Text.List([.. folders.Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)]);

    private static string ReadRevision(string reference)
    {
        try
        {
            using var stream = new FileStream(reference, FileMode.Open, FileAccess.Read);
            var bytes = new byte[LongestRevision + 1];
            string revision = Encoding.UTF8.GetString(bytes, 0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).Trim();
            return PlainName.Is(revision) ? revision
                : throw new ModelFileException(reference, $"holds {Text.Quote(revision)}; it must be the name of a snapshot.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException(reference, $"cannot be read ({e.Message}).", e);
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}$", RegexOptions.CultureInvariant)]
    private static partial Regex HubName();
}
