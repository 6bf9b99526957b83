using System.Text.Json;
using System.Text.Unicode;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// A checkpoint's JSON configuration (config.json, scheduler_config.json, model_index.json …). Every number of a model comes from here; a
/// missing or invalid value is an error that names file, key and value. A JSON null is a value of its own, Python's None: false as a
/// boolean, rejected as a number, string or list, and never the default of an absent key.
/// </summary>
public sealed class ModelConfig
{
    private const int MaxBytes = 16 << 20;
    private readonly Dictionary<string, JsonElement> values; // nulls included

    private ModelConfig(string file, Dictionary<string, JsonElement> values) => (File, this.values) = (file, values);

    /// <summary>Origin of the configuration, for messages.</summary>
    public string File { get; }

    /// <summary>The keys whose value is not null.</summary>
    public IReadOnlyCollection<string> Keys => [.. values.Where(v => v.Value.ValueKind != JsonValueKind.Null).Select(v => v.Key)];

    /// <summary>Reads a JSON object from a file.</summary>
    /// <exception cref="ModelFileException">The file is missing, no regular file, larger than 16 MB, or not a JSON object.</exception>
    public static ModelConfig Load(string path)
    {
        try
        {
            if (!System.IO.File.Exists(path)) throw new ModelFileException(path, "the file does not exist.");
            return Parse(InputFile.ReadAllBytes(path, MaxBytes), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException(path, $"cannot be read ({e.Message}).", e);
        }
    }

    /// <summary>Reads a JSON object from a tokenizer's file.</summary>
    /// <exception cref="ModelFileException">The file is missing, no regular file, larger than 16 MB, or not a JSON object.</exception>
    public static ModelConfig Load(ITokenizerFiles files, string name)
    {
        ArgumentNullException.ThrowIfNull(files);
        return Parse(files.Read(name, MaxBytes), files.PathOf(name));
    }

    /// <summary>
    /// Parses a JSON object. Python also writes <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c>, which are not JSON: they are read as
    /// strings of that name (see <see cref="Double"/>). Of duplicate keys the last one counts, as in Python.
    /// </summary>
    /// <param name="json">UTF-8 text.</param>
    /// <param name="file">File name for messages.</param>
    /// <exception cref="ModelFileException">The text is not a JSON object.</exception>
    public static ModelConfig Parse(ReadOnlySpan<byte> json, string file)
    {
        try
        {
            if (!Utf8.IsValid(json)) throw new ModelFileException(file, "is not valid UTF-8.");
            var reader = new Utf8JsonReader(PythonNumbers.Quote(json), new JsonReaderOptions { MaxDepth = 32 });
            var root = JsonElement.ParseValue(ref reader);
            while (reader.Read()) { } // throws if anything follows the value
            if (root.ValueKind != JsonValueKind.Object)
                throw new ModelFileException(file, $"holds a JSON {root.ValueKind}; it must be an object.");
            var values = new Dictionary<string, JsonElement>();
            foreach (var property in root.EnumerateObject()) values[property.Name] = property.Value;
            return new ModelConfig(file, values);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new ModelFileException(file, $"is not valid JSON ({e.Message})", e);
        }
    }

    /// <summary>The object as JSON text, nulls included; numbers that are not JSON are strings.</summary>
    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            foreach (var (key, value) in values)
            {
                json.WritePropertyName(key);
                value.WriteTo(json);
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>A copy in which the given values, including nulls, replace or extend those of the file.</summary>
    public ModelConfig With(IEnumerable<KeyValuePair<string, JsonElement>> overrides)
    {
        var copy = new Dictionary<string, JsonElement>(values);
        foreach (var (key, value) in overrides) copy[key] = value;
        return new ModelConfig(File, copy);
    }

    /// <summary>The object under a key as a configuration of its own, which names the same file.</summary>
    /// <exception cref="ModelFileException">The key is absent, or its value is no object.</exception>
    public ModelConfig Section(string key)
    {
        if (Given(key, "an object") is not { } v) throw Missing(key);
        if (v.ValueKind != JsonValueKind.Object) throw Wrong(key, "an object");
        var section = new Dictionary<string, JsonElement>();
        try
        {
            foreach (var property in v.EnumerateObject()) section[property.Name] = property.Value;
        }
        catch (InvalidOperationException e) // a name that is no Unicode text
        {
            throw new ModelFileException(File, $"'{key}' is not valid text ({e.Message})", e) { Key = key };
        }

        return new ModelConfig(File, section);
    }

    /// <summary>True when the key is present and not null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>True when the key is present and its value is null.</summary>
    public bool IsNull(string key) => values.TryGetValue(key, out var value) && value.ValueKind == JsonValueKind.Null;

    /// <summary>The raw value, or null when it is absent or null.</summary>
    public JsonElement? Find(string key) => values.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>An integer; without a fallback the key must be present.</summary>
    public int Int(string key, int? fallback = null) =>
        Given(key, "an integer") is not { } v ? fallback ?? throw Missing(key)
        : v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out int i) ? i : throw Wrong(key, "an integer");

    /// <summary>An integer within bounds, both included; without a fallback the key must be present.</summary>
    public int IntWithin(string key, int low, int high, int? fallback = null) =>
        Int(key, fallback) is var i && i >= low && i <= high ? i : throw Wrong(key, $"an integer from {low} to {high}");

    /// <summary>
    /// A finite number; without a fallback the key must be present. Infinity and NaN are accepted only if equal to the fallback.
    /// </summary>
    public double Double(string key, double? fallback = null) =>
        Given(key, "a finite number") is not { } v ? fallback ?? throw Missing(key)
        : fallback is { } f && v.ValueKind == JsonValueKind.String && PythonNumbers.IsName(v, f) ? f
        : v.ValueKind == JsonValueKind.Number && v.TryGetDouble(out double d) && double.IsFinite(d) ? d
            : throw Wrong(key, "a finite number");

    /// <summary>True or false, where null is false, as Python's None; without a fallback the key must be present.</summary>
    public bool Bool(string key, bool? fallback = null) => Find(key)?.ValueKind switch
    {
        null when IsNull(key) => false,
        null => fallback ?? throw Missing(key),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(key, "true or false"),
    };

    /// <summary>A string; without a fallback the key must be present.</summary>
    public string String(string key, string? fallback = null) =>
        Given(key, "a string") is not { } v ? fallback ?? throw Missing(key)
        : v.ValueKind == JsonValueKind.String && Characters(v) is { } text ? text : throw Wrong(key, "a string");

    /// <summary>A list of integers; without a fallback the key must be present.</summary>
    public int[] Ints(string key, int[]? fallback = null) =>
        Given(key, "a list of integers") is not { } v ? fallback ?? throw Missing(key)
        : v.ValueKind == JsonValueKind.Array ? [.. v.EnumerateArray().Select(e => AsInt(e, key))] : throw Wrong(key, "a list of integers");

    /// <summary>One integer per entry: either a list of exactly <paramref name="count"/>, or one integer for all.</summary>
    public int[] IntPerEntry(string key, int count, int? fallback = null)
    {
        if (Find(key) is not { ValueKind: JsonValueKind.Array }) return [.. Enumerable.Repeat(Int(key, fallback), count)];
        int[] list = Ints(key);
        return list.Length == count ? list : throw Wrong(key, $"one integer or a list of {count}");
    }

    /// <summary>A list of finite numbers.</summary>
    public double[] Doubles(string key) =>
        Given(key, "a list of numbers") is not { } v ? throw Missing(key)
        : v.ValueKind == JsonValueKind.Array
            ? [.. v.EnumerateArray().Select(e =>
                e.ValueKind == JsonValueKind.Number && e.TryGetDouble(out double d) && double.IsFinite(d) ? d
                    : throw Wrong(key, "a list of numbers"))]
            : throw Wrong(key, "a list of numbers");

    /// <summary>A list of strings; without a fallback the key must be present.</summary>
    public string[] Strings(string key, string[]? fallback = null) =>
        Given(key, "a list of strings") is not { } v ? fallback ?? throw Missing(key)
        : v.ValueKind == JsonValueKind.Array
            ? [.. v.EnumerateArray().Select(e =>
                e.ValueKind == JsonValueKind.String && Characters(e) is { } text ? text : throw Wrong(key, "a list of strings"))]
            : throw Wrong(key, "a list of strings");

    /// <summary>The error for a value that is present but unusable.</summary>
    public ModelFileException Wrong(string key, string expected)
    {
        string found = Find(key) is { } v ? v.GetRawText() : IsNull(key) ? "null" : "absent";
        return new ModelFileException(File,
            $"'{key}' is {(found.Length > 80 ? found[..80] + "…" : found)}; it must be {expected}.")
        { Key = key };
    }

    /// <summary>A JSON string's text; null if it contains an invalid escape (an unpaired surrogate).</summary>
    private static string? Characters(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The value, or null if the key is absent; a null in the file is an error.</summary>
    private JsonElement? Given(string key, string expected) => IsNull(key) ? throw Wrong(key, expected) : Find(key);

    private ModelFileException Missing(string key) => new(File, $"'{key}' is missing.") { Key = key };

    private int AsInt(JsonElement e, string key) =>
        e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out int i) ? i : throw Wrong(key, "a list of integers");
}
