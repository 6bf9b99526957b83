using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Components compute in types of their own, and an autoencoder that overflows in float16 gives the image of float32.</summary>
[Collection(nameof(OneGpuTestAtATime))]
public sealed class ComponentTypeTests
{
    private const float BeyondFloat16 = 1e6f; // times activations of about 1: more than 65504, and far from the end of bfloat16

    public static TheoryData<string> Devices => [.. TestDevices.Gpus];

    [Theory, MemberData(nameof(Devices))]
    public void Precisions_OfEachComponent_SayTypeAndReason(string id)
    {
        var device = TestDevices.OpenForModels(id);
        string none = $"the default of {device.Id}";
        Assert.Equal(["text_encoder Float32", "text_encoder_2 Float32", "unet Float32", "vae Float32"], Of(new(), none));
        Assert.Equal(["text_encoder Float16", "text_encoder_2 Float16", "unet Float16"], Of(new() { DType = DType.Float16 }, "requested"));
        Assert.Equal(["vae Float32"], Of(new() { DType = DType.Float16 }, "its configuration has force_upcast: Float16 overflows in it"));
        Assert.Equal(["text_encoder BFloat16", "text_encoder_2 BFloat16", "unet BFloat16", "vae BFloat16"],
            Of(new() { DType = DType.BFloat16 }, "requested"));
        Assert.Equal(["text_encoder BFloat16", "text_encoder_2 BFloat16", "vae Float16"],
            Of(new() { VaeDType = DType.Float16, TextEncoderDType = DType.BFloat16 }, "requested"));

        string[] Of(PipelineOptions options, string reason)
        {
            using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, options with { Device = device });
            Assert.Equal(pipeline.Precisions.Single(p => p.Component == "vae").DType, pipeline.Vae.DType);
            Assert.All(pipeline.Precisions, p => Assert.Contains("stored in Float32; ", $"{p}", StringComparison.Ordinal));
            return [.. pipeline.Precisions.Where(p => p.Reason == reason).Select(p => $"{p.Component} {p.DType}")];
        }
    }

    [Fact]
    public void Load_TypesThatACpuLacks_NameTheOption()
    {
        Assert.Contains("PipelineOptions.VaeDType", Refused(new() { VaeDType = DType.BFloat16 }), StringComparison.Ordinal);
        Assert.Contains("PipelineOptions.TextEncoderDType", Refused(new() { TextEncoderDType = DType.Float16 }), StringComparison.Ordinal);

        static string Refused(PipelineOptions options)
        {
            using var device = new CpuDevice(threads: 2);
            string message = Assert.Throws<DeviceException>(() =>
                DiffusionPipeline.FromPretrained(TinySdxl.Folder, options with { Device = device })).Message;
            Assert.StartsWith("cpu does not compute in ", message, StringComparison.Ordinal);
            return message;
        }
    }

    /// <summary>Whole images, tiles, and the encoder of an initial image.</summary>
    [Theory, MemberData(nameof(Devices))]
    public void Generate_VaeOverflowsInFloat16_GivesTheImageOfFloat32(string id)
    {
        var device = TestDevices.OpenForModels(id);
        using var folder = new TemporaryFolder();
        string model = Overflowing(Path.Combine(folder.Path, "model"));
        var request = TinySdxl.Request with { Steps = 1, Count = 2 };
        var source = new Image(32, 32, Enumerable.Range(0, 3 * 32 * 32).Select(i => (byte)(7 * i)).ToArray());
        ImageRequest[] requests = [request, request with { Width = 64, VaeTiling = new(32) }, request with { InitImage = source,
            Strength = 1, Steps = 2 }];
        long before = device.AllocatedBytes;
        var expected = Draw(DType.Float32, 0);
        var actual = Draw(DType.Float16, 1);
        foreach (var (exact, image) in expected.Zip(actual)) Assert.Equal(exact.Pixels, image.Pixels);
        _ = Draw(DType.BFloat16, 0);
        Assert.Equal(before, device.AllocatedBytes);

        Image[] Draw(DType type, int warnings)
        {
            using var pipeline = DiffusionPipeline.FromPretrained(model, new() { Device = device, DType = DType.Float32, VaeDType = type });
            Assert.Equal(type, pipeline.Vae.DType);
            return [.. requests.SelectMany(r =>
            {
                var result = pipeline.Generate(r, null, default);
                int overflows = result.Warnings.Count(w => w.StartsWith("The vae overflowed in Float16", StringComparison.Ordinal));
                Assert.Equal(r.InitImage is null ? warnings : 2 * warnings, overflows); // encoder and decoder, once each
                Assert.True(result.Images.All(image => image.Pixels.Distinct().Count() > 8), "An image is flat.");
                return result.Images;
            })];
        }
    }

    [Theory, MemberData(nameof(Devices))]
    public void Decode_VaeOverflowsInFloat16_LogsAWarning(string id)
    {
        var device = TestDevices.OpenForModels(id);
        using var folder = new TemporaryFolder();
        string model = Overflowing(Path.Combine(folder.Path, "model"));
        var log = new CollectingLoggerFactory();
        using var pipeline = DiffusionPipeline.FromPretrained(model,
            new() { Device = device, DType = DType.Float32, VaeDType = DType.Float16, LoggerFactory = log });
        float[] latents = [.. Enumerable.Range(0, 64).Select(i => i / 32f - 1)];
        float[] image = pipeline.Vae.Decode(latents, 1, 4, 4);
        Assert.True(Array.TrueForAll(image, float.IsFinite));
        Assert.StartsWith("The vae overflowed in Float16", Assert.Single(log.Warnings), StringComparison.Ordinal);
        latents[5] = float.NaN; // not an overflow: nothing is computed again
        Assert.Contains(pipeline.Vae.Decode(latents, 1, 4, 4), float.IsNaN);
        Assert.Single(log.Warnings);
    }

    [Theory, MemberData(nameof(Devices))]
    public async Task From_ImageWithComponentTypes_RepeatsThem(string id)
    {
        TestDevices.OpenForModels(id);
        using var folder = new TemporaryFolder();
        string[] run = ["generate", "--model", TinySdxl.Folder, "--device", id, "--json"];
        var first = await Run([.. run, "a red fox", "--width", "32", "--height", "32", "--steps", "1", "--seed", "3", "--dtype", "fp32",
            "--vae-dtype", "bf16", "--text-encoder-dtype", "fp16", "-o", "a.png"]);
        Assert.Equal(["Float16", "Float16", "Float32", "BFloat16"],
            first.GetProperty("types").EnumerateArray().Select(t => t.GetProperty("dtype").GetString()));
        var origin = GenerationMetadata.Read(Path.Combine(folder.Path, "a.png"));
        Assert.Equal(("Float32", "BFloat16", "Float16"), (origin.DType, origin.VaeDType, origin.TextEncoderDType));
        await Run([.. run, "--from", "a.png", "-o", "b.png"]);
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder.Path, "a.png")), File.ReadAllBytes(Path.Combine(folder.Path, "b.png")));
        using var plain = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new() { Device = TestDevices.Open(id) });
        Assert.Equal(["type of the vae was 'BFloat16' and is 'Float32'", "type of the text encoders was 'Float16' and is 'Float32'"],
            origin.DifferencesFrom(plain));

        async Task<JsonElement> Run(string[] arguments)
        {
            var result = await Ilgd.Run(folder.Path, arguments);
            Assert.True(result.ExitCode == 0, result.Errors);
            Assert.DoesNotContain("warning", result.Errors, StringComparison.Ordinal);
            return JsonDocument.Parse(result.Output).RootElement;
        }
    }

    /// <summary>The tiny model with an autoencoder whose first activations, both ways, are too large for float16.</summary>
    private static string Overflowing(string folder)
    {
        string copy = TinySdxl.CopyTo(folder), path = Path.Combine(copy, "vae", "diffusion_pytorch_model.safetensors");
        var writer = new SafetensorsWriter();
        using (var file = SafetensorsFile.Open(path))
            foreach (var (name, entry) in file.Entries)
            {
                float factor = name.Contains("coder.conv_in.", StringComparison.Ordinal) ? BeyondFloat16 : 1;
                float[] values = file.ReadFloats(name);
                writer.Add(name, DType.Float32, entry.Shape, Array.ConvertAll(values, value => factor * value));
            }

        File.Delete(path); // writing would follow the link
        writer.Save(path);
        return copy;
    }
}
