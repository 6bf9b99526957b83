using System.Globalization;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>
/// The table's rows on whole models. If reduced, small models replace the large ones, to try the programs only.
/// </summary>
internal sealed class ModelRows(CpuDevice device, string folder, bool reduced, int? rounds)
{
    private const int Few = 3;
    private const double SdxlBytesInLibtorch = 10.5e9, SdxlBytes = 5.6e9, SdxlInt8Bytes = 2.6e9;
    private const string Int8Note = "Int8: the difference comes from 8-bit weights and activations, not from rounding.";
    private readonly StableDiffusionCpp other = new(folder, device.Threads);

    public Measured Sdxl512()
    {
        const string Plain = "float32 arithmetic", Int8 = "int8 linears";
        var (floor, goal) = Int8Bounds(device, (1.8, 2.2), (2.0, 2.6));
        if (!reduced && Memory.Shortage(SdxlBytesInLibtorch + SdxlBytes + SdxlInt8Bytes) is { } shortage)
            return new(Check.Without(Plain, "libtorch", 1.3, 1.75, shortage), Check.Without(Int8, "libtorch", floor, goal, shortage));
        var results = reduced ? ModelComparison.Measure("medium-unet", 128, Few, device, int8: true)
            : ModelComparison.Measure("sdxl-unet", 512, Rounds(5), device, int8: true);
        var run = reduced ? null : other.Run("stable-diffusion-xl-base-1.0", 512, decode: false);
        return new(
            Check.Of(Plain, "libtorch", results[0].Ratio, 1.3, 1.75), Against(Plain, run?.StepSeconds, results[0], 3, 3.8),
            Check.Of(Int8, "libtorch", results[1].Ratio, floor, goal), Against(Int8, run?.StepSeconds, results[1], 4, 5.8))
        { Models = results, Notes = [.. results.Select(Explanation), Int8Note], Other = run is null ? null : [run] };
    }

    public Measured Sdxl1024()
    {
        const string What = "float32 arithmetic";
        if (!reduced && Memory.Shortage(SdxlBytesInLibtorch + SdxlBytes) is { } shortage)
            return new(Check.Without(What, "libtorch", 1.3, 1.75, shortage));
        var result = (reduced ? ModelComparison.Measure("medium-unet", 128, Few, device)
            : ModelComparison.Measure("sdxl-unet", 1024, Rounds(1), device))[0];
        return new(Check.Of(What, "libtorch", result.Ratio, 1.3, 1.75)) { Models = [result], Notes = [Explanation(result)] };
    }

    /// <summary>
    /// Floor and goal for int8: higher where the processor multiplies 8-bit numbers directly (nearly all processors with 512-bit registers
    /// have VNNI) than where it widens them first.
    /// </summary>
    public static (double Floor, double Goal) Int8Bounds(CpuDevice device, (double, double) widened, (double, double) direct) =>
        device.Architecture == "simd512" ? direct : widened;

    public Measured Vae()
    {
        (int Pixels, int Rounds)[] sizes = reduced ? [(64, Few)] : [(256, Rounds(5)), (512, Rounds(3)), (1024, Rounds(0))];
        var results = sizes.Select(s => ModelComparison.Measure("sdxl-vae", s.Pixels, s.Rounds, device)[0]).ToArray();
        int memoryPixels = reduced ? 64 : 512;
        EngineMemory ours = Child.Memory("ours", "sdxl-vae", memoryPixels), theirs = Child.Memory("libtorch", "sdxl-vae", memoryPixels);
        var run = reduced ? null : other.Run("stable-diffusion-v1-5", 256);
        return new([
            .. results.Select(r => Check.Of($"decode {r.Pixels}×{r.Pixels}", "libtorch", r.Ratio, 2.3, 2.8)),
            Against("decode 256×256", run?.DecodeSeconds, results[0], 7, 8.5),
            new Check($"peak memory at {memoryPixels}×{memoryPixels}, share of the peer's", "libtorch",
                (double)ours.PeakBytes / theirs.PeakBytes, "×", 0.5, 0.5, AtMost: true),
        ])
        { Models = results, Memory = [ours, theirs], Notes = [.. results.Select(Explanation)], Other = run is null ? null : [run] };
    }

    public Measured StableDiffusion15()
    {
        ModelResult[] results = reduced ? ModelComparison.Measure("small-unet", 128, Few, device)
            : [.. ModelComparison.Measure("sd15-unet", 256, Rounds(5), device),
                .. ModelComparison.Measure("sd15-unet", 512, Rounds(3), device)];
        var run = reduced ? null : other.Run("stable-diffusion-v1-5", 256);
        return new([
            .. results.Select(r => Check.Of($"UNet {r.Pixels}×{r.Pixels}", "libtorch", r.Ratio, 1.8, 2.2)),
            Against($"UNet {results[0].Pixels}×{results[0].Pixels}", run?.StepSeconds, results[0], 3, 4),
        ])
        { Models = results, Notes = [.. results.Select(Explanation)], Other = run is null ? null : [run] };
    }

    public Measured Small()
    {
        var results = ModelComparison.Measure("small-unet", pixels: 256, rounds: Rounds(9), device, int8: true, leastSeconds: 0.15);
        return new(Check.Of("latents 32×32, float32", "libtorch", results[0].Ratio, 1.4, 2),
            Check.Of("the same, int8 linears", "libtorch", results[1].Ratio, null, 2)) { Models = results,
                Notes = [.. results.Select(Explanation), Int8Note] };
    }

    public Measured MemoryOfSdxl()
    {
        EngineMemory plain = Of(int8: false), small = Of(int8: true);
        return new(
            new Check("peak resident, bfloat16 weights", null, plain.PeakBytes / 1e9, "GB", 5.9, 1.08 * plain.WeightBytes / 1e9,
                AtMost: true),
            new Check("peak resident, int8 weights", null, small.PeakBytes / 1e9, "GB", 3.6, 1.08 * small.WeightBytes / 1e9, AtMost: true))
        {
            Memory = [plain, small],
            Notes =
            [
                Text("bfloat16", plain), Text("int8", small),
                string.Create(CultureInfo.InvariantCulture,
                    $"libtorch holds the same weights in float32: {2 * plain.WeightBytes / 1e9:F1} GB before its first step."),
            ],
        };

        static string Text(string way, EngineMemory m) =>
            string.Create(CultureInfo.InvariantCulture,
                $"{way}: weights {m.WeightBytes / 1e9:F2} GB, planned arena {m.ArenaBytes / 1e6:F0} MB, peak {m.PeakBytes / 1e9:F2} GB.");
    }

    public Measured LoadOfSdxl()
    {
        _ = Of(int8: false); // brings the weights into the page cache
        var ours = Of(int8: false);
        double lazy = Math.Max(0, ours.FirstSeconds - ours.SecondSeconds);
        return new(new Check("to the first step, page-cached", null, ours.LoadSeconds + lazy, "s", 3, 1, AtMost: true))
        {
            Memory = [ours],
            Notes = [string.Create(CultureInfo.InvariantCulture,
                $"{ours.LoadSeconds:F2} s to map, build, trace and plan; the first step took {lazy:F2} s longer than the second "
                    + $"({ours.SecondSeconds:F2} s), for JIT compilation and first accesses to pages; both are included.")],
        };
    }

    public static Measured Embedded()
    {
        double[] seconds = [.. Enumerable.Range(0, 5).Select(_ => Child.Generate())];
        return new(new Check("ilgd generate \"a red heart\", whole process, median of 5", null, Timings.Middle(seconds), "s", 10, 3,
            AtMost: true))
        { Notes = [string.Join(", ", seconds.Select(s => s.ToString("F2", CultureInfo.InvariantCulture))) + " s."] };
    }

    /// <summary>
    /// The command line's number, or one that keeps the whole table at a quarter of an hour: fewer where a round takes a minute.
    /// </summary>
    private int Rounds(int usual) => rounds ?? usual;

    private EngineMemory Of(bool int8) =>
        reduced ? Child.Memory("ours", "medium-unet", 256, int8) : Child.Memory("ours", "sdxl-unet", 512, int8);

    private static Check Against(string what, double? seconds, ModelResult ours, double floor, double goal)
    {
        const string Peer = "stable-diffusion.cpp f16";
        return seconds is { } s ? new Check(what, Peer, s / Timings.Middle(ours.Seconds), "×", floor, goal)
            : Check.Without(what, Peer, floor, goal, "no program: see perf/README.md");
    }

    private static string Explanation(ModelResult r) => string.Create(CultureInfo.InvariantCulture,
        $"{r.Model} {r.Pixels}×{r.Pixels} {r.Way}: {Timings.Middle(r.Seconds):F3} s of {Timings.Middle(r.PeerSeconds):F3} s, {r.Gflop:F0} "
            + $"GFLOP; outputs differ by {r.Error:0.0e-0} of their rms. Our time: {r.Explanation}.");
}
