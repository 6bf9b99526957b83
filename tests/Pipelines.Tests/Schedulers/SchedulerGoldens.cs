using System.Text;
using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The recorded tables and runs of diffusers' schedulers, of the supported classes.</summary>
internal static class SchedulerGoldens
{
    public const string TablesSet = "schedulers/scheduler_tables";
    public const string TracesSet = "schedulers/scheduler_traces";
    public const string MiscSet = "schedulers/scheduler_misc";
    public const string FromTheMiddle = "img2img/";
    public const string CustomSigmas = "linspace_sigmas"; // in ids of cases with given sigmas

    public static Golden Tables => Golden.Open(TablesSet);

    public static Golden Traces => Golden.Open(TracesSet);

    public static Golden Misc => Golden.Open(MiscSet);

    /// <summary>Theory data: the ids of a set's cases of our classes. An id begins with the class name, or a prefix before it.</summary>
    public static TheoryData<string> Ids(string set, string prefix = "") =>
        [.. Golden.Ids(set).Where(id =>
            id.StartsWith(prefix, StringComparison.Ordinal) && Scheduler.Names.Contains(id[prefix.Length..].Split('/')[0])
            && !id.Contains(CustomSigmas, StringComparison.Ordinal))];

    /// <summary>The number of cases of our classes in the file, counted by class_name and not by id.</summary>
    public static int CountIn(Golden set) =>
        set.Json.GetProperty("cases").EnumerateArray()
            .Count(c => c.TryGetProperty("class_name", out var name) && Scheduler.Names.Contains(name.GetString()));

    /// <summary>The scheduler of a case; for traces, its settings are in the table of the same class and variant.</summary>
    public static Scheduler SchedulerOf(GoldenCase golden)
    {
        string name = golden.Json.GetProperty("class_name").GetString()!;
        string variant = golden.Json.GetProperty("variant").GetString()!;
        return FromJson(Tables[$"{name}/{variant}"].Params.GetRawText(), name);
    }

    /// <summary>The request of a case: its steps, and what was passed besides.</summary>
    public static ScheduleRequest Request(GoldenCase golden, int steps) => new()
    {
        Steps = steps,
        Mu = golden.Json.TryGetProperty("extra_args", out var extra) && extra.TryGetProperty("mu", out var mu) ? mu.GetDouble() : null,
        // what step() takes where the recording passes nothing
        Eta = Number(golden.Json, "eta", golden.Json.GetProperty("class_name").GetString() == "TCDScheduler" ? 0.3 : 0),
    };

    public static Scheduler FromJson(string json, string? name = null) => Scheduler.FromConfig(Config(json), name);

    public static ModelConfig Config(string json) => ModelConfig.Parse(Encoding.UTF8.GetBytes(json), "scheduler_config.json");

    /// <summary>One step's part of a tensor whose first dimension counts steps.</summary>
    public static double[] Row(float[] values, int row, int width) =>
        [.. values[(row * width)..((row + 1) * width)].Select(v => (double)v)];

    public static double Number(JsonElement json, string key, double fallback) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(key, out var value) ? value.GetDouble() : fallback;
}
