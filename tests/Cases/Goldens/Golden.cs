using System.Collections.Concurrent;
using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Cases;

/// <summary>
/// A set of reference data: NAME.safetensors with the numbers and NAME.json, which says what they are. Sets are opened once per process
/// and stay open. Their folders: <see cref="GoldenFolders"/>.
/// </summary>
public sealed class Golden
{
    private static readonly ConcurrentDictionary<string, Lazy<Golden>> Opened = new();
    private static readonly ConcurrentDictionary<string, Lazy<SafetensorsFile>> Files = new();
    private readonly Dictionary<string, GoldenCase> byId;

    private Golden(string set, string json, SafetensorsFile file)
    {
        Set = set;
        Json = JsonDocument.Parse(System.IO.File.ReadAllBytes(json)).RootElement;
        File = file;
        Cases = [.. Json.GetProperty("cases").EnumerateArray().Select(c => new GoldenCase(set, c, file))];
        byId = Cases.ToDictionary(c => c.Id);
    }

    /// <summary>The set's name, such as <c>tiny-sdxl-goldens/unet</c>.</summary>
    public string Set { get; }

    /// <summary>The whole json.</summary>
    public JsonElement Json { get; }

    /// <summary>The set's tensors.</summary>
    public SafetensorsFile File { get; }

    /// <summary>The recorded cases, in order.</summary>
    public IReadOnlyList<GoldenCase> Cases { get; }

    /// <summary>One case by its id.</summary>
    public GoldenCase this[string id] =>
        byId.TryGetValue(id, out var found) ? found
            : throw new KeyNotFoundException($"{Set} has no case '{id}'; it has {string.Join(", ", byId.Keys)}.");

    /// <summary>Opens a set; skips the running test if it is absent (fails it if goldens are required).</summary>
    /// <param name="set">Folder and name without ending: <c>schedulers/scheduler_traces</c>.</param>
    public static Golden Open(string set)
    {
        string json = GoldenFolders.Need(set + ".json");
        return Opened.GetOrAdd(json, _ => new(() => new Golden(set, json, OpenFile(set + ".safetensors")))).Value;
    }

    /// <summary>Opens a safetensors file of the reference data that has no json of its own; skips like <see cref="Open"/>.</summary>
    public static SafetensorsFile OpenFile(string relative)
    {
        string path = GoldenFolders.Need(relative);
        return Files.GetOrAdd(path, _ => new(() => SafetensorsFile.Open(path))).Value;
    }

    /// <summary>The full path of a folder (a tiny model, real configurations); skips like <see cref="Open"/>.</summary>
    public static string Folder(string relative) => GoldenFolders.Need(relative);

    /// <summary>
    /// The ids of a set's cases for theory data, or none when the set is not present: discovery must not skip. A theory then needs
    /// <c>SkipTestWithoutData = true</c>.
    /// </summary>
    public static IEnumerable<string> Ids(string set) =>
        GoldenFolders.Find(set + ".json") is null ? [] : Open(set).Cases.Select(c => c.Id);
}
