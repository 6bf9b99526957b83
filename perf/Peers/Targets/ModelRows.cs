using System.Globalization;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>The rows of the table that are about whole models. Reduced, small models take the large ones' places: to try the programs, not to judge.</summary>
internal sealed class ModelRows(CpuDevice device, string folder, bool reduced)
{
    private const double SdxlBytesInLibtorch = 10.5e9, SdxlBytes = 5.6e9;
    private const string NoInt8 = "the product has no int8 plan of a whole model yet";
    private readonly StableDiffusionCpp other = new(folder, device.Threads);

    public Measured Sdxl(int pixels, int rounds)
    {
        string what = $"UNet {pixels}×{pixels}";
        if (!reduced && Memory.Shortage(SdxlBytesInLibtorch + SdxlBytes) is { } shortage) return new(Check.Without(what, "libtorch", 1.3, 1.75, shortage));
        var result = reduced ? ModelContest.Measure("medium-unet", 128, 3, device) : ModelContest.Measure("sdxl-unet", pixels, rounds, device);
        var checks = new List<Check> { Check.Of(what, "libtorch", result.Ratio, 1.3, 1.75) };
        StableDiffusionCppRun? run = null;
        if (pixels == 512)
        {
            run = reduced ? null : other.Run("stable-diffusion-xl-base-1.0", pixels);
            checks.Add(Against(what, run?.StepSeconds, result, 3, 3.8));
        }

        return new([.. checks]) { Models = [result], Notes = [Explanation(result)], Other = run is null ? null : [run] };
    }

    public static Measured SdxlInt8() => new(
        Check.Without("8-bit weights, 8-bit activations", "libtorch", 2.0, 2.6, NoInt8), Check.Without("the same", "stable-diffusion.cpp", 4, 5.8, NoInt8));

    public Measured Vae()
    {
        (int Pixels, int Rounds)[] sizes = reduced ? [(64, 3)] : [(256, 5), (512, 5), (1024, 2)];
        var results = sizes.Select(s => ModelContest.Measure("sdxl-vae", s.Pixels, s.Rounds, device)).ToArray();
        int memoryPixels = reduced ? 64 : 512;
        EngineMemory ours = Child.Memory("ours", "sdxl-vae", memoryPixels), theirs = Child.Memory("libtorch", "sdxl-vae", memoryPixels);
        var run = reduced ? null : other.Run("stable-diffusion-v1-5", 256);
        return new([
            .. results.Select(r => Check.Of($"decode {r.Pixels}×{r.Pixels}", "libtorch", r.Ratio, 2.3, 2.8)),
            Against("decode 256×256", run?.DecodeSeconds, results[0], 7, 8.5),
            new Check($"peak memory at {memoryPixels}×{memoryPixels}, share of the peer's", "libtorch", (double)ours.PeakBytes / theirs.PeakBytes, "×", 0.5, 0.5, AtMost: true),
        ])
        { Models = results, Memory = [ours, theirs], Notes = [.. results.Select(Explanation)], Other = run is null ? null : [run] };
    }

    public Measured StableDiffusion15()
    {
        ModelResult[] results = reduced ? [ModelContest.Measure("small-unet", 128, 3, device)] : [ModelContest.Measure("sd15-unet", 256, 5, device), ModelContest.Measure("sd15-unet", 512, 5, device)];
        var run = reduced ? null : other.Run("stable-diffusion-v1-5", 256);
        return new([
            .. results.Select(r => Check.Of($"UNet {r.Pixels}×{r.Pixels}", "libtorch", r.Ratio, 1.8, 2.2)),
            Against($"UNet {results[0].Pixels}×{results[0].Pixels}", run?.StepSeconds, results[0], 3, 4),
        ])
        { Models = results, Notes = [.. results.Select(Explanation)], Other = run is null ? null : [run] };
    }

    public Measured Small()
    {
        var result = ModelContest.Measure("small-unet", pixels: 256, rounds: 9, device, leastSeconds: 0.15);
        return new(Check.Of("latents 32×32", "libtorch", result.Ratio, 1.4, 2)) { Models = [result], Notes = [Explanation(result)] };
    }

    public Measured MemoryOfSdxl()
    {
        var ours = Sdxl512();
        double gigabytes = ours.PeakBytes / 1e9;
        return new(
            new Check("peak resident, bfloat16 weights", null, gigabytes, "GB", 5.9, 1.08 * ours.WeightBytes / 1e9, AtMost: true),
            Check.Without("peak resident, int8 weights", null, 3.6, null, NoInt8, "GB"))
        {
            Memory = [ours],
            Notes = [string.Create(CultureInfo.InvariantCulture, $"Weights {ours.WeightBytes / 1e9:F2} GB, mapped and counted; planned arena {ours.ArenaBytes / 1e6:F0} MB. libtorch holds the same weights in float32: {2 * ours.WeightBytes / 1e9:F1} GB before the first step.")],
        };
    }

    public Measured LoadOfSdxl()
    {
        var ours = Sdxl512(); // the weights are in the page cache now, or the second of these runs finds them there
        ours = Sdxl512();
        double lazy = Math.Max(0, ours.FirstSeconds - ours.SecondSeconds);
        return new(new Check("to the first step, page-cached", null, ours.LoadSeconds + lazy, "s", 3, 1, AtMost: true))
        {
            Memory = [ours],
            Notes = [string.Create(CultureInfo.InvariantCulture, $"{ours.LoadSeconds:F2} s to map, build, trace and plan; the first step took {lazy:F2} s longer than the second ({ours.SecondSeconds:F2} s), which counts too: code compiled and pages touched for the first time.")],
        };
    }

    public static Measured Embedded()
    {
        double[] seconds = [.. Enumerable.Range(0, 5).Select(_ => Child.Generate())];
        return new(new Check("ilgd generate \"a red heart\", whole process, median of 5", null, Timings.Middle(seconds), "s", 10, 3, AtMost: true))
        { Notes = [string.Join(", ", seconds.Select(s => s.ToString("F2", CultureInfo.InvariantCulture))) + " s."] };
    }

    private EngineMemory Sdxl512() => reduced ? Child.Memory("ours", "medium-unet", 256) : Child.Memory("ours", "sdxl-unet", 512);

    private static Check Against(string what, double? seconds, ModelResult ours, double floor, double goal)
    {
        const string Peer = "stable-diffusion.cpp f16";
        return seconds is { } s ? new Check(what, Peer, s / Timings.Middle(ours.Seconds), "×", floor, goal) : Check.Without(what, Peer, floor, goal, "no program: see perf/README.md");
    }

    private static string Explanation(ModelResult r) => string.Create(CultureInfo.InvariantCulture,
        $"{r.Model} {r.Pixels}×{r.Pixels}: {Timings.Middle(r.Seconds):F3} s of {Timings.Middle(r.PeerSeconds):F3} s, {r.Gflop:F0} GFLOP; outputs differ by {r.Error:E1} of their rms. Our time: {r.Explanation}.");
}
