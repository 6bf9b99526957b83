using System.Globalization;
using System.Text.Json.Serialization;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>A figure beside what is asked of it.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Peer">Beside whom; null for an absolute figure.</param>
/// <param name="Value">The figure; null if it could not be measured.</param>
/// <param name="Unit">× for a ratio.</param>
/// <param name="Floor">What it must reach; null where only the goal counts.</param>
/// <param name="Goal">What is hoped for.</param>
/// <param name="AtMost">Whether less is better.</param>
/// <param name="Spread">The rounds behind a ratio.</param>
/// <param name="Missing">Why there is no value.</param>
internal sealed record Check(string What, string? Peer, double? Value, string Unit, double? Floor, double? Goal, bool AtMost = false,
    Ratio? Spread = null, string? Missing = null)
{
    /// <summary>The verdict on a ratio that other programs spoilt.</summary>
    public const string Noisy = "noisy";

    /// <summary>One of: goal met, met, not met, noisy, not measured.</summary>
    public string Verdict => Missing is not null || Value is null ? "not measured"
        : Spread is { IsNoisy: true } ? Noisy
        : Reaches(Goal) ? "goal met"
        : Reaches(Floor) || Floor is null ? (Floor is null ? "goal not met" : "met")
        : "not met";

    /// <summary>The figure as people read it.</summary>
    [JsonIgnore]
    public string Text => Value is { } v ? Number(v) : "–";

    /// <summary>What is asked, as people read it.</summary>
    public string Asked(double? bound) => bound is { } b ? $"{(AtMost ? "≤" : "≥")} {Number(b)}" : "";

    /// <summary>A ratio from runs that took turns.</summary>
    public static Check Of(string what, string peer, Ratio ratio, double? floor, double? goal) =>
        new(what, peer, ratio.Median, "×", floor, goal, Spread: ratio);

    /// <summary>Something that could not be measured.</summary>
    public static Check Without(string what, string? peer, double? floor, double? goal, string why, string unit = "×") =>
        new(what, peer, null, unit, floor, goal, AtMost: unit != "×", Missing: why);

    private bool Reaches(double? bound) => bound is { } b && (AtMost ? Value <= b : Value >= b);

    private string Number(double value) => Unit switch
    {
        "×" => value.ToString("F2", CultureInfo.InvariantCulture) + "×",
        "" => value.ToString("0.0e-0", CultureInfo.InvariantCulture),
        _ => value.ToString("F2", CultureInfo.InvariantCulture) + " " + Unit,
    };
}

/// <summary>One row of the table of targets.</summary>
/// <param name="Id">Its name on the command line.</param>
/// <param name="Work">What was done.</param>
/// <param name="Machine">On what.</param>
/// <param name="Peer">The peer's version.</param>
/// <param name="Seconds">How long measuring took.</param>
/// <param name="Others">Share of the processors that other programs took meanwhile.</param>
/// <param name="Checks">What was asked and reached.</param>
/// <param name="Notes">What explains it.</param>
/// <param name="Ops">Single ops behind it.</param>
/// <param name="Models">Whole models behind it.</param>
/// <param name="Memory">Processes behind it.</param>
/// <param name="Other">Runs of stable-diffusion.cpp behind it.</param>
internal sealed record TargetRow(
    string Id, string Work, Machine Machine, string Peer, double Seconds, double Others, IReadOnlyList<Check> Checks,
        IReadOnlyList<string> Notes,
    IReadOnlyList<OpResult>? Ops = null, IReadOnlyList<ModelResult>? Models = null, IReadOnlyList<EngineMemory>? Memory = null,
        IReadOnlyList<StableDiffusionCppRun>? Other = null);

/// <summary>What measuring a row gives, before it is put beside the machine.</summary>
/// <param name="Checks">What was asked and reached.</param>
internal sealed record Measured(params IReadOnlyList<Check> Checks)
{
    public IReadOnlyList<string> Notes { get; init; } = [];

    public IReadOnlyList<OpResult>? Ops { get; init; }

    public IReadOnlyList<ModelResult>? Models { get; init; }

    public IReadOnlyList<EngineMemory>? Memory { get; init; }

    public IReadOnlyList<StableDiffusionCppRun>? Other { get; init; }
}
