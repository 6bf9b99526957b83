using System.Globalization;
using System.Text.Json.Serialization;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>A measured value with its floor and goal.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Peer">The engine compared with; null for an absolute value.</param>
/// <param name="Value">The value; null if it could not be measured.</param>
/// <param name="Unit">× for a ratio.</param>
/// <param name="Floor">The bound that it must meet; null if there is only a goal.</param>
/// <param name="Goal">The bound that it should meet.</param>
/// <param name="AtMost">Whether less is better.</param>
/// <param name="Spread">The rounds of a ratio.</param>
/// <param name="Missing">Why there is no value.</param>
internal sealed record Check(string What, string? Peer, double? Value, string Unit, double? Floor, double? Goal, bool AtMost = false,
    Ratio? Spread = null, string? Missing = null)
{
    /// <summary>The verdict on a ratio that is unreliable because of other programs.</summary>
    public const string Noisy = "noisy";

    /// <summary>One of: goal met, met, not met, noisy, not measured.</summary>
    public string Verdict => Missing is not null || Value is null ? "not measured"
        : Spread is { IsNoisy: true } ? Noisy
        : Reaches(Goal) ? "goal met"
        : Reaches(Floor) || Floor is null ? (Floor is null ? "goal not met" : "met")
        : "not met";

    /// <summary>The value with its unit.</summary>
    [JsonIgnore]
    public string Text => Value is { } v ? Number(v) : "–";

    /// <summary>A bound with its unit.</summary>
    public string Asked(double? bound) => bound is { } b ? $"{(AtMost ? "≤" : "≥")} {Number(b)}" : "";

    /// <summary>A ratio from interleaved runs.</summary>
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
/// <param name="Work">What was measured.</param>
/// <param name="Machine">The machine.</param>
/// <param name="Peer">The peer's version.</param>
/// <param name="Seconds">How long measuring took.</param>
/// <param name="Others">Share of the processors that other programs took meanwhile.</param>
/// <param name="Checks">The values with their floors and goals.</param>
/// <param name="Notes">Profiles and remarks.</param>
/// <param name="Ops">Results of single ops.</param>
/// <param name="Models">Results of whole models.</param>
/// <param name="Memory">Memory of processes.</param>
/// <param name="Other">Runs of stable-diffusion.cpp.</param>
internal sealed record TargetRow(
    string Id, string Work, Machine Machine, string Peer, double Seconds, double Others, IReadOnlyList<Check> Checks,
        IReadOnlyList<string> Notes,
    IReadOnlyList<OpResult>? Ops = null, IReadOnlyList<ModelResult>? Models = null, IReadOnlyList<EngineMemory>? Memory = null,
        IReadOnlyList<StableDiffusionCppRun>? Other = null);

/// <summary>The result of measuring a row, without the machine.</summary>
/// <param name="Checks">The values with their floors and goals.</param>
internal sealed record Measured(params IReadOnlyList<Check> Checks)
{
    public IReadOnlyList<string> Notes { get; init; } = [];

    public IReadOnlyList<OpResult>? Ops { get; init; }

    public IReadOnlyList<ModelResult>? Models { get; init; }

    public IReadOnlyList<EngineMemory>? Memory { get; init; }

    public IReadOnlyList<StableDiffusionCppRun>? Other { get; init; }
}
