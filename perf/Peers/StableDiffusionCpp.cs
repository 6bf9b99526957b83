using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>A run of stable-diffusion.cpp.</summary>
/// <param name="Family">The model folder.</param>
/// <param name="Pixels">Height and width of the image.</param>
/// <param name="LoadSeconds">Loading weights, as the program reports it: reading, and converting to float16.</param>
/// <param name="StepSeconds">One UNet evaluation: the second of two, as the program reports it.</param>
/// <param name="DecodeSeconds">Decoding the latents.</param>
/// <param name="PeakBytes">Most resident memory.</param>
internal sealed record StableDiffusionCppRun(string Family, int Pixels, double? LoadSeconds, double? StepSeconds, double? DecodeSeconds,
    long PeakBytes);

/// <summary>
/// Runs the program that ILGPUDIFFUSION_SDCPP names on the folders of random weights: bfloat16 in the files, float16 in the program. It
/// runs in its own process and is therefore not interleaved with the others.
/// </summary>
/// <param name="folder">Where results are kept.</param>
/// <param name="threads">Its threads.</param>
internal sealed partial class StableDiffusionCpp(string folder, int threads)
{
    private static readonly string? Program = Environment.GetEnvironmentVariable("ILGPUDIFFUSION_SDCPP");

    /// <summary>Two steps and, on request, one decoding; null if the program is absent, or failed, which is reported on stderr.</summary>
    public StableDiffusionCppRun? Run(string family, int pixels, bool decode = true)
    {
        if (string.IsNullOrEmpty(Program) || !File.Exists(Program)) return null;
        string kept = Path.Combine(folder, $"sdcpp-{family}-{pixels}.json");
        if (File.Exists(kept)) return ResultFile.Load<StableDiffusionCppRun>(kept);
        foreach (string model in ModelFiles.Known.Where(m => m.Value.StartsWith(family, StringComparison.Ordinal)).Select(m => m.Key))
            ModelFiles.Folder(model);
        string image = Path.Combine(Path.GetTempPath(), $"sdcpp-{Environment.ProcessId}.png");
        string[] arguments = ["-m", Path.Combine(ModelFiles.Root, family), "-p", "a cat", "--steps", "2", "--cfg-scale", "1",
            "--sampling-method", "euler", "-W", $"{pixels}", "-H", $"{pixels}", "-t", $"{threads}", "--type", "f16", "-o", image, "-v"];
        var (text, peak, code) = Execute(arguments, until: decode ? null : "sampling completed");
        File.Delete(image);
        if (code != 0)
        {
            Console.Error.WriteLine($"stable-diffusion.cpp ended with {code}: {text.TrimEnd().Split('\n')[^1]}");
            return null;
        }

        var run = new StableDiffusionCppRun(family, pixels, LoadTime().Matches(text).Sum(Number), Step(text),
            Number(DecodeTime().Match(text)), peak);
        ResultFile.Save(kept, run);
        return run;
    }

    private static (string Text, long Peak, int Code) Execute(string[] arguments, string? until)
    {
        using var process = Process.Start(
            new ProcessStartInfo(Program!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = new StringBuilder();
        bool enough = false;
        void Keep(object sender, DataReceivedEventArgs line)
        {
            lock (text) text.AppendLine(line.Data);
            enough |= until is not null && line.Data?.Contains(until, StringComparison.Ordinal) == true;
        }

        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        long peak = 0;
        while (!process.WaitForExit(100))
        {
            peak = Math.Max(peak, ProcessMemory.PeakOf(process.Id));
            if (enough) process.Kill();
        }

        process.WaitForExit(); // waits for all its output
        return (text.ToString(), peak, enough ? 0 : process.ExitCode);
    }

    /// <summary>The last time that the progress bar gives for one step; slower ones are given in seconds, faster ones per second.</summary>
    private static double? Step(string text)
    {
        var last = StepTime().Matches(text).LastOrDefault();
        if (last is null) return null;
        double value = double.Parse(last.Groups[1].Value, CultureInfo.InvariantCulture);
        return last.Groups[2].Value == "s/it" ? value : 1 / value;
    }

    private static double? Number(Match match) => match.Success ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"([\d.]+)(s/it|it/s)")]
    private static partial Regex StepTime();

    [GeneratedRegex(@"loading tensors completed, taking ([\d.]+)s")]
    private static partial Regex LoadTime();

    [GeneratedRegex(@"latent \d+ decoded, taking ([\d.]+)s")]
    private static partial Regex DecodeTime();
}
