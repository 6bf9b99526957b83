using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>Options with their own syntax; a wrong value is reported in one line with option, value and syntax.</summary>
internal static class Options
{
    public static Option<string?> Device() =>
        Parsed<string?>("--device",
            "auto (default: the best GPU, else the CPU), cpu, cuda:INDEX or opencl:INDEX", "NAME",
                "auto, cpu, cuda, cuda:INDEX, opencl or opencl:INDEX",
        text => IsDevice(text.ToLowerInvariant()) ? text.ToLowerInvariant() : null).Completing(() =>
            DeviceCatalog.List().Select(d => d.Id).Prepend("auto"));

    /// <summary>One of several values.</summary>
    public static Option<string?> Word(string name, string description, string helpName, params string[] words) =>
        Parsed<string?>(name, description, helpName, string.Join(", ", words[..^1]) + " or " + words[^1],
        text => words.Contains(text.ToLowerInvariant()) ? text.ToLowerInvariant() : null).Completing(() => words);

    /// <summary>A seed, in PyTorch's range.</summary>
    public static Option<Seed?> SeedNumber(string name, string description) =>
        Parsed<Seed?>(name, description, "N", $"a whole number from {long.MinValue} to {ulong.MaxValue}",
        text => Seed.TryParse(text, out var seed) ? seed : null);

    /// <summary>Adds a short name to an option.</summary>
    public static Option<T> Short<T>(this Option<T> option, string alias)
    {
        option.Aliases.Add(alias);
        return option;
    }

    /// <summary>For every command.</summary>
    public static Option<bool> Verbose() =>
        new("--verbose") { Description = "Also prints how long each GPU kernel takes to compile", Recursive = true };

    /// <summary>For every command.</summary>
    public static Option<bool> Quiet() => new("--quiet", "-q") { Description = "Prints only errors and warnings", Recursive = true };

    /// <summary>A sampling method, by any of its names, or <c>list</c>.</summary>
    public static Option<string?> Scheduler(string description) => new Option<string?>("--scheduler")
    {
        Description = description,
        HelpName = "NAME",
        CustomParser = result =>
        {
            string name = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
            if (!name.Equals(SchedulerList, StringComparison.OrdinalIgnoreCase) && !SchedulerNames.IsKnown(name))
                result.AddError($"--scheduler: {SchedulerNames.Unknown(name)}");
            return name;
        },
    }.Completing(() => SchedulerNames.All.Append(SchedulerList));

    /// <summary>The value that lists the schedulers.</summary>
    public const string SchedulerList = "list";

    /// <summary>FreeU's four factors.</summary>
    public static Option<FreeU?> FreeU(string name, string description) =>
        Parsed<FreeU?>(name, description, "S1,S2,B1,B2", "four numbers between commas, such as 0.9,0.2,1.3,1.4 (SDXL: 0.6,0.4,1.1,1.2)",
        text => NumberList(text) is [var s1, var s2, var b1, var b2] ? new FreeU(s1, s2, b1, b2) : null);

    public static Option<bool> Json(string what) => new("--json") { Description = $"Prints {what} as JSON on stdout" };

    /// <summary>A whole number above 0.</summary>
    public static Option<int?> Positive(string name, string description) => Parsed<int?>(name, description, "N", "a whole number above 0",
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0 ? value : null);

    /// <summary>A whole number, 0 for none.</summary>
    public static Option<int?> Natural(string name, string description) =>
        Parsed<int?>(name, description, "N", "a whole number, 0 or above",
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null);

    /// <summary>A finite number.</summary>
    public static Option<double?> Number(string name, string description) => Parsed<double?>(name, description, "X", "a number",
        text => TryNumber(text, out double value) ? value : null);

    /// <summary>Numbers separated by commas.</summary>
    public static Option<double[]?> Numbers(string name, string description) =>
        Parsed<double[]?>(name, description, "A,B,…", "numbers between commas", NumberList);

    /// <summary>Width x height in pixels.</summary>
    public static Option<PixelSize?> Size(string name, string description) =>
        Parsed<PixelSize?>(name, description, "WxH", "width x height in pixels, such as 1024x768",
        ParseSize);

    /// <summary>Parses a size; null where the text is not one.</summary>
    public static PixelSize? ParseSize(string text) => Pair(text, 'x', 0) is { } pair ? new PixelSize(pair.First, pair.Second) : null;

    /// <summary>Top, left in pixels.</summary>
    public static Option<(int Top, int Left)?> Corner(string name, string description) =>
        Parsed<(int, int)?>(name, description, "T,L", "top and left in pixels, such as 0,128",
        text => Pair(text, ',', int.MinValue));

    /// <summary>key=value pairs separated by commas; values are numbers, true, false, null or strings.</summary>
    public static Option<Dictionary<string, JsonElement>?> Settings(string name, string description) =>
        Parsed<Dictionary<string, JsonElement>?>(name, description, "K=V,…", "key=value between commas, such as use_karras_sigmas=true",
            text =>
        {
            var settings = new Dictionary<string, JsonElement>();
            foreach (string part in text.Split(','))
            {
                string[] sides = part.Split('=', 2);
                if (sides.Length != 2 || sides[0].Trim().Length == 0) return null;
                settings[sides[0].Trim()] = Literal(sides[1].Trim());
            }

            return settings;
        });

    /// <summary>Adds values for shell completion.</summary>
    private static Option<T> Completing<T>(this Option<T> option, Func<IEnumerable<string>> values)
    {
        option.CompletionSources.Add(_ => values().Select(value => new CompletionItem(value)));
        return option;
    }

    private static double[]? NumberList(string text)
    {
        string[] parts = text.Split(',');
        double[] values = [.. parts.Where(p => TryNumber(p, out _)).Select(p => double.Parse(p, CultureInfo.InvariantCulture))];
        return values.Length == parts.Length ? values : null;
    }

    /// <summary>A value with its own syntax.</summary>
    public static Option<T> Parsed<T>(string name, string description, string helpName, string form, Func<string, T> parse) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result =>
        {
            string text = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
            var value = parse(text);
            if (value is null) result.AddError($"{name}: {OutsideText.Quote(text)} must be {form}.{Guessed(text, form)}");
            return value!;
        },
    };

    /// <summary>A hint at the nearest of the values that the syntax lists, or nothing.</summary>
    private static string Guessed(string text, string form)
    {
        string[] words = form.Split([", ", " or "], StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 1 && NearestName.Of(text, words.Where(word => !word.Contains(' ', StringComparison.Ordinal))) is { } guess
            ? $" Did you mean '{guess}'?" : "";
    }

    private static bool IsDevice(string text) => text is "auto" or "cpu" or "cuda" or "opencl"
        || (text.Split(':') is ["cuda" or "opencl", var index]
            && int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out _));

    private static bool TryNumber(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    private static (int First, int Second)? Pair(string text, char separator, int least)
    {
        string[] parts = text.ToLowerInvariant().Split(separator);
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int first)
            && first >= least
            && int.TryParse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int second) && second >= least
                ? (first, second) : null;
    }

    private static JsonElement Literal(string text)
    {
        bool json = text is "true" or "false" or "null" || TryNumber(text, out _);
        return json && TryParse(text, out var element) ? element : JsonElement.Parse($"\"{JsonEncodedText.Encode(text)}\"");
    }

    private static bool TryParse(string text, out JsonElement element)
    {
        try
        {
            element = JsonElement.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            element = default;
            return false;
        }
    }
}
