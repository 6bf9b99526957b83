using System.Diagnostics;
using System.Globalization;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Output of <c>ilgd bench</c>.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Device">The device.</param>
/// <param name="Size">Size of the image.</param>
/// <param name="Ladder">The results.</param>
internal sealed record BenchReport(string Model, Device Device, PixelSize Size, Ladder Ladder)
{
    /// <summary>Text output.</summary>
    /// <param name="columns">Width of the terminal; null where there is none.</param>
    public string Text(int? columns)
    {
        var (page, first) = (new Page(columns), Ladder.Results[0]);
        page.Paragraph($"{Model}, {Size}, {first.Steps} steps, on {Device}; median of {first.Runs.Count} images, rungs interleaved").Line()
            .Table(Table(first)).Line();
        foreach (var r in Ladder.Results)
            page.Paragraph($"{r.Rung.Name}: {r.Rung.Description}; first image {Measures.Time(r.First.Total)}, of which " +
                $"{Measures.Time(r.First.Compile)} to compile and plan");
        page.Paragraph("differs: largest and mean difference of a colour value from the first rung's image, of 255; PSNR in dB. peak: what "
            + "the " +
            $"device allocated for the rung, mapped weights not included. Peak memory of the process {Quantity.Bytes(PeakResidentBytes)}, "
                + "weights included.");
        foreach (string note in Ladder.Notes) page.Paragraph($"note: {note}");
        return page.ToString();
    }

    /// <summary>JSON output.</summary>
    public string Json()
    {
        var first = Ladder.Results[0];
        return JsonOutput.Of(new
        {
            model = Model,
            device = new { id = Device.Id, name = Device.TuningName, architecture = Device.Architecture },
            width = Size.Width,
            height = Size.Height,
            steps = first.Steps,
            runs = first.Runs.Count,
            peak_resident_bytes = PeakResidentBytes,
            peak_device_bytes = Device.PeakBytes,
            noisy = Ladder.Results.Any(r => r.IsNoisy),
            notes = Ladder.Notes,
            rungs = Ladder.Results.Select((r, i) => new
            {
                name = r.Rung.Name,
                description = r.Rung.Description,
                first_seconds = Math.Round(r.First.Total, 4),
                compile_seconds = Math.Round(r.First.Compile, 4),
                median_seconds = Math.Round(r.Median, 4),
                best_seconds = Math.Round(r.Best, 4),
                spread = Math.Round(r.Spread, 4),
                noisy = r.IsNoisy,
                seconds_per_step = Math.Round(r.Of(x => x.Denoise) / r.Steps, 5),
                steps_per_second = Math.Round(r.Steps / r.Of(x => x.Denoise), 4),
                steps = r.Steps,
                images_per_second = Math.Round(1 / r.Median, 5),
                stages = new
                {
                    encode_seconds = Math.Round(r.Of(x => x.Encode), 4),
                    denoise_seconds = Math.Round(r.Of(x => x.Denoise), 4),
                    decode_seconds = Math.Round(r.Of(x => x.Decode), 4)
                },
                run_seconds = r.Runs.Select(x => Math.Round(x.Drawing, 4)),
                arena_bytes = r.ArenaBytes,
                peak_bytes = r.PeakBytes,
                launches = r.Launches,
                ratio_to_first = Math.Round(r.RatioTo(first), 4),
                ratio_to_previous = i == 0 ? 1 : Math.Round(r.RatioTo(Ladder.Results[i - 1]), 4),
                largest_difference = r.DifferenceTo(first).Largest,
                mean_difference = Math.Round(r.DifferenceTo(first).Mean, 4),
                psnr = double.IsFinite(r.DifferenceTo(first).Psnr) ? Math.Round(r.DifferenceTo(first).Psnr, 2) : (double?)null,
            }),
        });
    }

    private Listing Table(RungResult first)
    {
        var table = new Listing("rung", ">s/image", ">± best", ">steps", ">steps/s", ">encode", ">denoise", ">decode", ">compile",
            ">peak", ">launches", ">× first", ">× before", ">PSNR", ">differs");
        RungResult? before = null;
        foreach (var r in Ladder.Results)
        {
            var difference = r.DifferenceTo(first);
            table.Add(r.Rung.Name, Number(r.Median, 3), Measures.Percent(r.Spread), $"{r.Steps}",
                Number(r.Steps / r.Of(x => x.Denoise), 3), Number(r.Of(x => x.Encode), 3), Number(r.Of(x => x.Denoise), 3),
                Number(r.Of(x => x.Decode), 3), Number(r.First.Compile, 3), Quantity.Bytes(r.PeakBytes), $"{r.Launches}",
                Number(r.RatioTo(first), 2), before is null ? "" : Number(r.RatioTo(before), 2),
                double.IsFinite(difference.Psnr) ? Number(difference.Psnr, 1) : "equal",
                $"{difference.Largest} / {Number(difference.Mean, 2)}");
            before = r;
        }

        return table;
    }

    private static string Number(double value, int digits) => value.ToString($"F{digits}", CultureInfo.InvariantCulture);

    private static long PeakResidentBytes
    {
        get
        {
            using var process = Process.GetCurrentProcess();
            return process.PeakWorkingSet64;
        }
    }
}
