using System.Globalization;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Metadata;

/// <summary>Maps the parameters of AUTOMATIC1111 and similar programs to metadata, as far as they have an equivalent here.</summary>
internal static partial class ForeignMetadata
{
    private const int LongestNote = 120, MostNotes = 20;

    // Settings without effect here, or read separately.
    private static readonly string[] WithoutEffect = ["Version", "Model hash", "Batch size", "Batch pos", "Schedule type", "RNG"];

    /// <summary>The metadata of an image from another program.</summary>
    public static GenerationMetadata From(A1111Parameters parameters)
    {
        var notes = new List<string>();
        int clipSkip = 0;
        double eta = 0;
        foreach (var (key, value) in parameters.Extra)
        {
            // counted from 1 there
            if (key == "Clip skip" && int.TryParse(value, CultureInfo.InvariantCulture, out int layers) && layers >= 1)
                clipSkip = layers - 1;
            else if (key == "Eta DDIM" && double.TryParse(value, CultureInfo.InvariantCulture, out double given) && double.IsFinite(given))
                eta = given;
            else if (!WithoutEffect.Contains(key)) notes.Add($"{key}: {value}");
        }

        string? Extra(string key) => parameters.Extra.FirstOrDefault(e => e.Key == key).Value;
        if (Extra("RNG") != "CPU") notes.Add("its noise, which was drawn on a GPU: the image will differ");
        if (Weights().IsMatch(parameters.Prompt) || Weights().IsMatch(parameters.NegativePrompt ?? ""))
            notes.Add("weights and networks in the prompt, such as (word:1.2) and <lora:…>, which are read as words");
        string? spacing = Extra("Schedule type") is { } type and not "Automatic" and not "Uniform" ? type : null;
        string sampler = spacing is null ? parameters.Sampler : $"{parameters.Sampler} {spacing}";
        bool known = SchedulerNames.IsKnown(sampler);
        if (!known && sampler.Length > 0) notes.Insert(0, $"Sampler: {sampler}");
        return new GenerationMetadata
        {
            SchedulerName = known ? sampler : null,
            Model = string.IsNullOrEmpty(parameters.Model) ? null : parameters.Model,
            Software = Extra("Version"),
            Unmapped = [.. notes.Take(MostNotes).Select(n => n.Length > LongestNote ? n[..LongestNote] + "…" : n)],
            Request = new ImageRequest(parameters.Prompt)
            {
                NegativePrompts = parameters.NegativePrompt is { } negative ? [negative] : [""], // A1111 takes an absent one as empty
                Steps = parameters.Steps > 0 ? parameters.Steps : null,
                GuidanceScale = parameters.CfgScale > 0 ? parameters.CfgScale : null,
                Seed = parameters.Seed,
                Width = parameters.Width > 0 ? parameters.Width : null,
                Height = parameters.Height > 0 ? parameters.Height : null,
                ClipSkip = clipSkip,
                Eta = eta,
            },
        };
    }

    [GeneratedRegex(@"<(lora|lyco|hypernet):|:\s*\d+(\.\d+)?\s*\)")]
    private static partial Regex Weights();
}
