using System.CommandLine;
using System.Globalization;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>
/// <c>ilgd tune</c>: measures which kernels and tiles are fastest for a model on this machine, and keeps the result for all later runs.
/// </summary>
internal static class TuneCommand
{
    public static Command Create()
    {
        var (model, device, json) = (new ModelArguments(), new DeviceArguments(), Options.Json("what was found"));
        var sizes = new Option<PixelSize[]>("--size")
        {
            Description = "Size of the images; may be given several times. The model's own if left out",
            HelpName = "WxH",
            CustomParser = result => [.. result.Tokens.Select(t => Size(t.Value, result))],
        };
        var all = new Option<bool>("--check-all-directions")
        {
            Description =
            "Also tries steps along several parameters at once: slower, sometimes better"
        };
        var sameBits = new Option<bool>("--same-bits")
        {
            Description =
            "Only settings that keep images bit-identical: kernels stay the default ones"
        };
        var again = new Option<bool>("--again") { Description = "Also repeats earlier measurements" };
        var weights = Options.Word("--weights",
            "Type of the weights to measure with: that of the model's files (default), or fp32, fp16 or bf16, which need no files", "TYPE",
                "auto", "fp32", "fp16", "bf16");
        var seconds = Options.Number("--seconds", "Longest search for one op and size; 4 if left out");
        var command = new Command("tune", "Measures which kernels and tiles are fastest for a model here, and keeps the result")
            { model.Model, sizes, weights, all, sameBits, again, seconds, json };
        foreach (var option in device.All.Concat(model.Source)) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var opened = device.Open(parsed);
            string path = opened.Tuning.Path
                ?? throw new ArgumentException(
                    $"results cannot be saved: {CacheFolder.Variable} is 'off'. Set it to a folder, or unset it.");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            OutputFile.RequireWritable([path]);

            DType? stored = parsed.GetValue(weights) switch
            {
                "fp32" => DType.Float32,
                "fp16" => DType.Float16,
                "bf16" => DType.BFloat16,
                _ => null
            };
            using var pipeline = DiffusionPipeline.FromPretrained(model.Path(parsed),
                new PipelineOptions { Device = opened, LoadWeights = stored is null, Source = model.SourceOf(parsed) });
            double budget = parsed.GetValue(seconds) ?? 4;
            var options = new TunerOptions
            {
                CheckAllDirections = parsed.GetValue(all),
                SameBits = parsed.GetValue(sameBits),
                Budget = TimeSpan.FromSeconds(budget),
            };
            TuningSummary summary;
            try
            {
                summary = await TuningProgressBar.ShowAsync(
                    problems => $"{pipeline.Name} on {opened}: {problems} ops and sizes to measure, at most "
                        + $"{Quantity.Time(problems * (budget + 1))}. Cancel at any time: results are kept.",
                    progress => pipeline.TuneAsync(parsed.GetValue(sizes), options, parsed.GetValue(again), stored, progress, cancellation))
                    .ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                opened.Tuning.Save();
                Messages.Error($"cancelled; results until then are in {path}.");
                return Interrupts.Code;
            }

            opened.Tuning.Save(); // saves results that could not be saved before, or throws
            if (parsed.GetValue(json)) JsonOutput.Print(Json(opened, path, summary));
            else Terminals.Say(Text(path, summary));
            return ExitCodes.Done;
        });
        return command;
    }

    private static string Text(string path, TuningSummary summary) => summary.Results.Count == 0
        ? $"Everything was measured before: {path}"
        : string.Create(CultureInfo.InvariantCulture,
            $"{summary.Changed} of {summary.Results.Count} changed; together these ops are {summary.Gain:0.000}× as fast as with default "
                + $"settings (timed in turns in this run). Kept in {path}");

    private static object Json(Device device, string path, TuningSummary summary) => new
    {
        device = new { id = device.Id, name = device.TuningName, architecture = device.Architecture },
        table = path,
        seconds = Math.Round(summary.Seconds, 2),
        changed = summary.Changed,
        gain = Math.Round(summary.Gain, 4),
        results = summary.Results.Select(r => new
        {
            op = r.Entry.Op,
            dtypes = r.Entry.DTypes,
            rows = r.Entry.Rows,
            shape = r.Entry.Shape,
            calls = r.Problem.Count,
            variant = r.Entry.Variant,
            settings = r.Entry.Settings,
            default_microseconds = r.Entry.DefaultMicroseconds,
            microseconds = r.Entry.Microseconds,
            gain = Math.Round(r.Entry.Gain, 4),
        }),
    };

    private static PixelSize Size(string text, System.CommandLine.Parsing.ArgumentResult result)
    {
        if (Options.ParseSize(text) is { } size) return size;
        result.AddError($"--size: '{text}' must be width x height in pixels, such as 1024x768.");
        return default;
    }
}
