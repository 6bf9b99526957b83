using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// The tuning table that ships for an architecture, from tables that separate runs of <c>ilgd tune --same-bits</c> wrote: settings that
/// every run found, with a sufficient gain in each. A single run sometimes mistakes noise for a gain, and a shipped table must not make
/// anything slower.
/// </summary>
internal static class ShippedTable
{
    private const double LeastGain = 1.05;
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the common part of the tables to a file.</summary>
    /// <returns>A summary of how many entries were kept.</returns>
    public static string Write(IReadOnlyList<string> tables, string target)
    {
        JsonObject[] files = [.. tables.Select(t => JsonNode.Parse(File.ReadAllText(t))!.AsObject())];
        var runs = files.Select(f => f["entries"]!.AsArray().Select(e => e!.AsObject()).ToDictionary(Problem)).ToArray();
        JsonObject[] kept = [.. runs[0]
            .Where(e => runs.All(r =>
                r.TryGetValue(e.Key, out var found) && Settings(found) == Settings(e.Value) && Gain(found) >= LeastGain))
                    .Select(e => e.Value)];
        var head = files[0];
        head["entries"] = new JsonArray();
        File.WriteAllText(target, $"{head.ToJsonString(Json)[..^2]}\n{string.Join(",\n", kept.Select(e => e.ToJsonString(Json)))}\n]}}\n");
        return $"{kept.Length} of {runs[0].Count} entries in {target}";
    }

    private static string Problem(JsonObject entry) =>
        $"{entry["op"]} {entry["dtypes"]} {entry["rows"]} {entry["shape"]} {entry["revision"]}";

    private static string Settings(JsonObject entry) => $"{entry["variant"]} {entry["settings"]!.ToJsonString()}";

    private static double Gain(JsonObject entry) =>
        entry["settings"]!.AsObject().Count == 0 ? 1
            : entry["default_microseconds"]!.GetValue<double>() / entry["microseconds"]!.GetValue<double>();
}
