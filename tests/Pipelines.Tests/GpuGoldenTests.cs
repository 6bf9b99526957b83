using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Whole models on every GPU device present, in float32, against the reference library, with the tolerances of the CPU.
/// </summary>
[Collection(nameof(OneGpuTestAtATime))]
public sealed class GpuGoldenTests
{
    // as in the CPU's tests, with the same reasons
    private const double UNetTolerance = 3e-4, TextTolerance = 2e-5, VaeTolerance = 2e-4, RunNoise = 20, RunFloor = 2e-4;

    public static TheoryData<string> Devices => [.. TestDevices.Gpus];

    public static TheoryData<string, string, int> UNets => Of(("tiny-sdxl", 6), ("tiny-sd15", 0), ("tiny-sd21-v", 0));

    public static TheoryData<string, string, string> Encoders =>
        Of(("tiny-sdxl", "text_encoder"), ("tiny-sdxl", "text_encoder_2"), ("tiny-sd21-v", "text_encoder"));

    /// <summary>Guidance and its rescaling, two prompts, batches, odd sizes, generated noise and FreeU.</summary>
    public static TheoryData<string, string, string> Runs => Of(
        ("tiny-sdxl-goldens/txt2img_features", "guidance_rescale_0.7"), ("tiny-sdxl-goldens/txt2img_features", "batch_2x2"),
            ("tiny-sdxl-goldens/txt2img_features", "size_136x72"), ("tiny-sdxl-goldens/txt2img_features", "freeu"));

    /// <summary>Every recorded run from an image or a mask, and the refiner's, whose scheduler is one of ours.</summary>
    public static TheoryData<string, string, string> Tasks => Of(
        [.. new[] { "tiny-sdxl-goldens/img2img_inpaint", "tiny-sd15-goldens/img2img_inpaint", "tiny-sdxl-refiner-goldens/refiner" }
            .SelectMany(set => Golden.Ids(set).DefaultIfEmpty("absent")
                .Where(name => name == "absent" || RecordedRun.IsOurs(Golden.Open(set)[name].Json)).Select(name => (set, name)))]);

    [Theory, MemberData(nameof(UNets))]
    public void UNet_EverySubModule_MatchesReference(string id, string model, int timeIds)
    {
        var device = TestDevices.OpenForModels(id);
        var golden = Golden.Open($"{model}-goldens/unet_detail")["detail"];
        using var unet = TestUNet.Open(model, timeIds, golden.Inputs.ContainsKey("encoder_attention_mask"), on: device);
        string[] inOrder = [.. golden.Outputs.Keys.Where(o => o != "sample"), "sample"];
        var results = unet.Run(golden, inOrder);
        foreach (string output in inOrder)
            golden.Check(output, results[output], Math.Max(UNetTolerance, 10 * golden.Outputs[output].NoiseRelative ?? 0));
    }

    [Theory, MemberData(nameof(UNets))]
    public void UNet_WithEveryPass_MatchesReference(string id, string model, int timeIds)
    {
        var device = TestDevices.OpenForModels(id);
        foreach (var golden in Golden.Open($"{model}-goldens/unet").Cases.Where(c => !c.Inputs.ContainsKey("encoder_attention_mask"))
            .Take(3))
        {
            using var unet = TestUNet.Open(model, timeIds, on: device);
            // no layer's output is kept, so all fusions apply
            golden.Check("sample", unet.Run(golden, ["sample"])["sample"],
                Math.Max(UNetTolerance, 10 * golden.Outputs["sample"].NoiseRelative ?? 0));
        }
    }

    [Theory, MemberData(nameof(Encoders))]
    public void TextEncoder_RecordedInputs_MatchesReference(string id, string model, string encoder)
    {
        var device = TestDevices.OpenForModels(id);
        using var clip = TestTextEncoder.Open($"{model}/{encoder}", on: device);
        foreach (var run in Golden.Open($"{model}-goldens/{encoder}").Cases)
        {
            var last = clip.Run(run, ClipHiddenState.StableDiffusion(null), pooled: true);
            run.Check("last_hidden_state", last.Hidden, TextTolerance);
            run.Check("pooled", last.Pooled, TextTolerance);
            run.Check("penultimate", clip.Run(run, ClipHiddenState.StableDiffusionXl(null), pooled: false).Hidden, TextTolerance);
        }
    }

    [Theory, MemberData(nameof(Devices))]
    public void Vae_RecordedInputs_MatchesReference(string id)
    {
        var device = TestDevices.OpenForModels(id);
        using var vae = TestVae.Open("tiny-sdxl", on: device);
        var golden = Golden.Open("tiny-sdxl-goldens/vae");
        foreach (var run in golden.Cases.Where(c => !c.Id.StartsWith("tiled", StringComparison.Ordinal)))
        {
            if (run.Inputs.ContainsKey("latent")) run.Check("image", vae.Decode(run), VaeTolerance);
            else run.Check("mean", TestVae.ToNchw(vae.Encode(run).Mean, run.OutputShape("mean")), VaeTolerance);
        }

        golden["tiled_decode_20x14"].Check("image", vae.Decode(golden["tiled_decode_20x14"], new VaeTiling(64)), VaeTolerance);
    }

    [Theory, MemberData(nameof(Runs)), MemberData(nameof(Tasks))]
    public void Run_RecordedInputs_MatchesDiffusers(string id, string set, string name)
    {
        var device = TestDevices.OpenForModels(id);
        var golden = Golden.Open(set)[name];
        using var pipeline = DiffusionPipeline.FromPretrained(Golden.Folder(set[..set.IndexOf("-goldens", StringComparison.Ordinal)]),
            new PipelineOptions { Device = device, DType = DType.Float32 });
        Check(pipeline, golden);
    }

    [Theory, MemberData(nameof(Devices))]
    public void Run_EveryRecordedScheduler_MatchesDiffusers(string id)
    {
        var device = TestDevices.OpenForModels(id);
        var runs = Golden.Open("tiny-sdxl-goldens/txt2img_schedulers");
        using var pipeline = DiffusionPipeline.FromPretrained(Golden.Folder("tiny-sdxl"),
            new PipelineOptions { Device = device, DType = DType.Float32 });
        foreach (var golden in runs.Cases) Check(pipeline, golden);
    }

    private static void Check(DiffusionPipeline pipeline, GoldenCase golden)
    {
        var result = pipeline.Generate(RecordedRun.Request(golden, null), null, default, () => RecordedRun.Noise(golden));
        double tolerance = Math.Max(RunNoise * golden.Json.GetProperty("final_latents_fp32_vs_fp64_rel_to_rms").GetDouble(), RunFloor);
        golden.Check("latents_steps", [.. result.Intermediates.SelectMany(l => l.Values)], tolerance);
        // only the requested ones
        Assert.Equal(result.Intermediates.Count, result.Stages.Single(s => s.Stage == GenerationStage.Denoise).HostSynchronisations);
    }

    private static TheoryData<string, A, B> Of<A, B>(params (A First, B Second)[] rows)
    {
        var data = new TheoryData<string, A, B>();
        foreach (string device in TestDevices.Gpus)
            foreach (var (first, second) in rows) data.Add(device, first, second);
        return data;
    }
}
