using System.CommandLine;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>
/// <c>ilgd bench</c>: measures how fast a model generates images, from ops as recorded to all optimizations of this library.
/// </summary>
internal static class BenchCommand
{
    private const string Prompt = "Astronaut in a jungle, cold color palette, muted colors, detailed, 8k";

    public static Command Create()
    {
        var (model, device, json) = (new ModelArguments(), new DeviceArguments(), Options.Json("all figures"));
        var attention = new AttentionArguments();
        var size = Options.Size("--size", "Size of the image; the model's own if left out");
        var (steps, runs) = (Options.Positive("--steps", "Denoising steps; 8 if left out"),
            Options.Positive("--runs", "Measured images per rung; 5 if left out"));
        var only = new Option<string[]?>("--rungs")
        {
            Description =
            "Only these rungs, separated by commas; by default all but max-autotune, which may measure for minutes first",
            HelpName = "A,B,…",
            CustomParser = result => result.Tokens[^1].Value.Split(',')
        };
        var csv = new Option<string?>("--csv") { Description = "Writes one line per image", HelpName = "FILE.csv" };
        var guide = new Option<bool>("--ladder")
        {
            Description = "The rungs of diffusers' guide \"Accelerate inference\": float32, 16-bit, attention, compiled, CUDA graph, "
                + "max-autotune, fused "
                + "projections, int8, fewer steps"
        };
        var plot = new Option<string?>("--plot")
        {
            Description = "Draws the rungs as bars: SVG, or an image by its extension",
            HelpName = "FILE.svg|FILE.png"
        };
        var explain = new Option<bool>("--explain") { Description = "Also shows the time of the default rung by op" };
        var command = new Command("bench", "Measures how fast a model generates images here, adding one optimization at a time")
            { model.Model, size, steps, runs, guide, only, explain, json, csv, plot };
        foreach (var option in device.All.Concat(attention.All).Concat(model.Source)) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            string? table = parsed.GetValue(csv), chart = parsed.GetValue(plot);
            OutputFile.RequireWritable(new[] { table, chart }.OfType<string>());
            using var opened = device.Open(parsed);
            var plain = new PipelineOptions
            {
                Device = opened,
                Attention = attention.Read(parsed),
                Source = model.SourceOf(parsed),
            };
            var rungs = parsed.GetValue(guide) ? Choose(GuideLadder.For(plain), parsed.GetValue(only), all: true)
                : Choose(Rung.For(plain), parsed.GetValue(only), all: false);
            var pixels = parsed.GetValue(size);
            var request = new ImageRequest(Prompt)
            {
                Seed = 42,
                Steps = parsed.GetValue(steps) ?? 8,
                Width = pixels?.Width,
                Height = pixels?.Height
            };
            var ladder = await Ladder.RunAsync(model.Path(parsed), rungs, request, parsed.GetValue(runs) ?? 5, Messages.Note, cancellation)
                .ConfigureAwait(false);
            var image = ladder.Results[0].Image;
            var report = new BenchReport(ladder.Model, opened,
                new PixelSize(image.Width, image.Height), ladder);
            if (table is not null) OutputFile.WriteText(table, BenchCsv.Of(ladder, opened.MemoryBytes));
            if (chart is not null) LadderPlot.Save(report, chart);
            Console.Write(parsed.GetValue(json) ? report.Json() + "\n" : report.Text(Terminals.OutputColumns));
            if (parsed.GetValue(explain))
            {
                using var pipeline = DiffusionPipeline.FromPretrained(model.Path(parsed), plain);
                var plans = await InspectGraph.PlansAsync(pipeline, pixels, measure: true, cancellation).ConfigureAwait(false);
                bool toErrors = parsed.GetValue(json); // keeps stdout valid JSON
                string text = InspectGraphText.Of(plans, steps: false, toErrors ? Terminals.ErrorColumns : Terminals.OutputColumns);
                (toErrors ? Console.Error : Console.Out).Write($"\n{text}");
            }

            return ExitCodes.Done;
        });
        return command;
    }

    private static Rung[] Choose(IReadOnlyList<Rung> there, string[]? names, bool all)
    {
        if (names is not { Length: > 0 }) return [.. there.Where(r => all || r.Name != Rung.MaxAutotune)];
        foreach (string name in names)
            if (!there.Any(r => r.Name == name))
                throw new ArgumentException(
                    $"--rungs: '{name}' is not available on this device; available are {string.Join(", ", there.Select(r => r.Name))}.");
        return [.. there.Where(r => names.Contains(r.Name))];
    }
}
