using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Guidance;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Models compiled whole, block by block and region by region: the same bits, and no more compilations than the architecture has kinds of
/// block.
/// </summary>
public sealed class CompileScopeTests
{
    private const double Rounding = 1e-5; // a convolution that reads an enlarged image in place may use another kernel
    private static readonly CompileOptions[] Ways = [.. Enum.GetValues<CompileScope>()
        .Select(scope => new CompileOptions { Scope = scope }), new() { Dynamic = false }];

    [Theory]
    [InlineData("tiny-sdxl", 6), InlineData("tiny-sd15", 0), InlineData("tiny-sd21-v", 0)]
    public void UNet_RecordedInputs_EveryWayEqualsEager(string model, int timeIds)
    {
        foreach (string id in Golden.Ids($"{model}-goldens/unet"))
        {
            var golden = Golden.Open($"{model}-goldens/unet")[id];
            bool mask = golden.Inputs.ContainsKey("encoder_attention_mask");
            AssertSame(id, options =>
            {
                using var unet = TestUNet.Open(model, timeIds, mask, options: options);
                return unet.Run(golden, ["sample"])["sample"];
            });
        }
    }

    [Theory]
    [InlineData("tiny-sdxl"), InlineData("tiny-sd15"), InlineData("tiny-sd21-v")]
    public void Vae_RecordedInputs_EveryWayEqualsEager(string model)
    {
        foreach (var golden in Golden.Open($"{model}-goldens/vae").Cases)
            AssertSame(golden.Id, options =>
            {
                using var vae = TestVae.Open(model, options: options);
                return golden.Inputs.ContainsKey("latent") ? vae.Decode(golden) : Both(vae.Encode(golden));
            }, Rounding);
    }

    [Theory]
    [InlineData("tiny-sdxl", "text_encoder"), InlineData("tiny-sdxl", "text_encoder_2"), InlineData("tiny-sd15", "text_encoder")]
    public void TextEncoder_RecordedPrompts_EveryWayEqualsEager(string model, string encoder)
    {
        foreach (var golden in Golden.Open($"{model}-goldens/{encoder}").Cases)
            AssertSame(golden.Id, options =>
            {
                using var clip = TestTextEncoder.Open($"{model}/{encoder}", options: options);
                var text = clip.Run(golden, ClipHiddenState.StableDiffusion(null), pooled: true);
                return [.. text.Hidden, .. text.Pooled];
            });
    }

    /// <summary>
    /// SDXL's UNet has 70 transformer blocks: 2 · 2 + 3 · 2 = 10 at width 640 and half the resolution, 2 · 10 + 10 + 3 · 10 = 60 at width
    /// 1280 and a quarter. All of one width have the same resolution and attend to the same prompt, so that two compilations serve them
    /// all.
    /// </summary>
    [Fact]
    public void SdxlBase_Blocks_AreTwoFor70()
    {
        using var sdxl = new RealUNet("stable-diffusion-xl-base-1.0");
        var report = sdxl.Compile(CompileScope.Blocks);
        Assert.Equal([("BasicTransformerBlock", 10), ("BasicTransformerBlock", 60), ("unet", 1)],
            report.Regions.Select(r => (r.Name, r.Occurrences)));
    }

    /// <summary>
    /// In addition, equal ResNet blocks: two of 320 channels at the start; at the bottom three of 1280; in the up blocks two that
    /// take 2560 to 1280 and two that take 640 to 320.
    /// </summary>
    [Fact]
    public void SdxlBase_Regions_FindsTransformerAndResnetBlocks()
    {
        using var sdxl = new RealUNet("stable-diffusion-xl-base-1.0");
        var report = sdxl.Compile(CompileScope.Regions);
        Assert.Equal([("BasicTransformerBlock", 60), ("BasicTransformerBlock", 10), ("ResnetBlock2D", 3), ("ResnetBlock2D", 2),
            ("ResnetBlock2D", 2), ("ResnetBlock2D", 2)],
            report.Regions.Where(r => r.Path is not null).Select(r => (r.Name, r.Occurrences)));
    }

    /// <summary>
    /// Stable Diffusion 1.5 has 16 blocks at widths 320, 640 and 1280; the widest have two resolutions, and sizes are part of a
    /// signature.
    /// </summary>
    [Fact]
    public void Sd15_Blocks_AreFourFor16()
    {
        using var sd = new RealUNet("stable-diffusion-v1-5");
        var report = sd.Compile(CompileScope.Blocks);
        Assert.Equal((4, 16), (report.DistinctBlocks, report.BlockOccurrences));
    }

    [Fact]
    public void SdxlBase_AnyScope_NeedsFewLaunchesAndLittleMoreMemoryThanIsAlive()
    {
        using var sdxl = new RealUNet("stable-diffusion-xl-base-1.0");
        int eager = sdxl.Compiled(CompileOptions.Eager).Report(RealUNet.Sizes(1, 64, 64, 77)).Steps.Count;
        foreach (var scope in Enum.GetValues<CompileScope>())
            foreach (var (images, side) in new[] { (1, 64), (2, 128) })
            {
                var plan = sdxl.Compiled(new() { Scope = scope }).Report(RealUNet.Sizes(images, side, side, 77));
                Assert.True(plan.ArenaBytes <= 1.15 * plan.PeakLiveBytes,
                    $"{scope} at {side}: the arena has {plan.ArenaBytes} bytes for {plan.PeakLiveBytes}.");
                double most = scope == CompileScope.Blocks ? 0.65 : 0.6; // outside of blocks, all ops run as recorded
                Assert.True(plan.Steps.Count <= most * eager, $"{scope}: {plan.Steps.Count} launches of {eager}.");
            }
    }

    [Fact]
    public void SdxlBase_OtherSizesAndBack_CompileNothing()
    {
        using var sdxl = new RealUNet("stable-diffusion-xl-base-1.0");
        var compiled = sdxl.Compiled(new());
        _ = compiled.Report(RealUNet.Sizes(1, 64, 64, 77));
        int kernels = sdxl.Kernels;
        foreach (var (images, side, tokens) in new[] { (1, 96, 77), (1, 64, 77), (2, 64, 77), (1, 64, 154), (1, 64, 77) })
            _ = compiled.Report(RealUNet.Sizes(images, side, side, tokens));
        Assert.Equal((1, kernels, 4), (compiled.CompileReport.Compilations, sdxl.Kernels, compiled.Plans));
    }

    private static float[] Both(LatentDistribution latents) => [.. latents.Mean, .. latents.LogVariance];

    /// <param name="what">Name in messages.</param>
    /// <param name="run">Runs a model.</param>
    /// <param name="tolerance">Largest difference, relative to the rms; 0 means the same bits.</param>
    private static void AssertSame(string what, Func<CompileOptions, float[]> run, double tolerance = 0)
    {
        float[] eager = run(CompileOptions.Eager);
        double allowed = tolerance * Math.Sqrt(eager.Average(v => (double)v * v));
        foreach (var options in Ways)
        {
            float[] compiled = run(options);
            if (eager.SequenceEqual(compiled) || eager.Zip(compiled, (a, b) => Math.Abs((double)a - b)).Max() < allowed) continue;
            string[] passes = [.. typeof(CompileOptions).GetProperties()
                .Where(p => p.PropertyType == typeof(bool) && p.CanWrite && !eager.SequenceEqual(run(With(p.Name)))).Select(p => p.Name)];
            Assert.Fail($"{what}, {options.Scope}, dynamic {options.Dynamic}: other bits, by at most "
                + $"{eager.Zip(compiled, (a, b) => Math.Abs(a - b)).Max():g2}; alone do so: {string.Join(", ", passes)}.");
        }
    }

    private static CompileOptions With(string pass)
    {
        var options = CompileOptions.Eager with { };
        typeof(CompileOptions).GetProperty(pass)!.SetValue(options, true);
        return options;
    }

    /// <summary>A published UNet without weights: enough to compile and plan.</summary>
    private sealed class RealUNet : IDisposable
    {
        private readonly CpuDevice device = new(threads: 1);
        private readonly ArenaPool arenas;
        private readonly Graph graph;

        public RealUNet(string name)
        {
            arenas = new ArenaPool(device);
            var unet = new UNet2DConditionModel(ModelConfig.Load(Path.Combine(Golden.Folder($"real-configs/{name}/unet"), "config.json")));
            graph = UNetPrediction.Trace(unet, new(Guided: true));
        }

        public int Kernels => device.Kernels.Compilations;

        public static Sizes Sizes(int images, int height, int width, int tokens) =>
            new(("images", images), ("height", height), ("width", width), ("tokens", tokens));

        public CompiledGraph Compiled(CompileOptions options) => new(graph, arenas, options);

        public CompileReport Compile(CompileScope scope) => Compiled(new() { Scope = scope }).CompileReport;

        public void Dispose()
        {
            arenas.Dispose();
            device.Dispose();
        }
    }
}
