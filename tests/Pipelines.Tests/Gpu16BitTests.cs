using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Whole models with 16-bit activations and weights on every GPU device present, against the reference library's float32. How strongly a
/// model amplifies rounding errors differs, so the bound is relative to its own error with only the weights in bfloat16: one rounding per
/// GEMM (float16, in which they were recorded, rounds an eighth of that). Activations are rounded when they are written: about four times
/// per GEMM (after norm, GEMM, activation and sum). Such errors add like a random walk, which doubles them, and the worst of thousands of
/// elements may be twice as large again.
/// </summary>
[Collection(nameof(OneGpuTestAtATime))]
public sealed class Gpu16BitTests
{
    private const double OfWeightsAlone = 4;

    public static TheoryData<string, DType> Devices => Of(DType.Float16, DType.BFloat16);

    [Theory, MemberData(nameof(Devices))]
    public void UNet_RecordedInputs_MatchesReference(string id, DType dtype)
    {
        var device = TestDevices.OpenForModels(id);
        foreach (var (model, timeIds) in new[] { ("tiny-sdxl", 6), ("tiny-sd15", 0) })
        {
            var golden = Golden.Open($"{model}-goldens/unet").Cases.First(c => !c.Inputs.ContainsKey("encoder_attention_mask"));
            Check(golden, dtype, (activations, weights) =>
            {
                using var unet = TestUNet.Open(model, timeIds, on: device, dtype: activations, weights: weights);
                return unet.Run(golden, ["sample"]);
            });
        }
    }

    /// <summary>The code for devices with matrix instructions, which are defined in OpenCL C here.</summary>
    [Theory, InlineData("Intel16", "tiny-sdxl", 6), InlineData("Rdna3", "tiny-sd15", 0)]
    public void UNet_WithMatrixInstructions_MatchesReference(string unit, string model, int timeIds)
    {
        int kernels = 0;
        using var soft = SoftLanes.OpenForModels(unit,
            text => kernels += text.Contains("=  ilgd_matrix_fp16(", StringComparison.Ordinal) ? 1 : 0);
        var plain = TestDevices.OpenForModels("opencl:0"); // the underlying driver
        var golden = Golden.Open($"{model}-goldens/unet").Cases.First(c => !c.Inputs.ContainsKey("encoder_attention_mask"));
        Check(golden, DType.Float16, (activations, weights) =>
        {
            using var unet = TestUNet.Open(model, timeIds, on: activations == DType.Float32 ? plain : soft, dtype: activations,
                weights: weights);
            return unet.Run(golden, ["sample"]);
        });
        Assert.True(kernels >= 4, $"Only {kernels} kernels use matrix instructions; GEMMs, convolutions, gates and attention must.");
    }

    [Theory, MemberData(nameof(Devices))]
    public void TextEncoder_RecordedInputs_MatchesReference(string id, DType dtype)
    {
        var device = TestDevices.OpenForModels(id);
        var golden = Golden.Open("tiny-sdxl-goldens/text_encoder_2").Cases[0];
        Check(golden, dtype, (activations, weights) =>
        {
            using var clip = TestTextEncoder.Open("tiny-sdxl/text_encoder_2", on: device, dtype: activations, weights: weights);
            var last = clip.Run(golden, ClipHiddenState.StableDiffusion(null), pooled: true);
            return new() { ["last_hidden_state"] = last.Hidden, ["pooled"] = last.Pooled };
        });
    }

    [Theory, MemberData(nameof(Devices))]
    public void Vae_RecordedInputs_MatchesReference(string id, DType dtype)
    {
        var device = TestDevices.OpenForModels(id);
        var golden = Golden.Open("tiny-sdxl-goldens/vae").Cases.First(c => c.Inputs.ContainsKey("latent"));
        Check(golden, dtype, (activations, weights) =>
        {
            using var vae = TestVae.Open("tiny-sdxl", on: device, dtype: activations, weights: weights);
            return new() { ["image"] = vae.Decode(golden) };
        });
    }

    /// <summary>
    /// The model that ships with the tool: nearly every pixel within 2 of 255 levels in float16, within 8 in bfloat16, whose numbers are 8
    /// times coarser; and a signal-to-noise ratio at which images look the same.
    /// </summary>
    [Theory, MemberData(nameof(Devices))]
    public void Image_OfTheEmbeddedModel_IsCloseToTheCpus(string id, DType dtype)
    {
        const double Share = 0.99, LeastPsnr = 40;
        var device = TestDevices.OpenForModels(id);
        using var cpu = new CpuDevice(threads: 2);
        byte[] expected = Draw(cpu, DType.Float32), actual = Draw(device, dtype);
        int most = dtype == DType.Float16 ? 2 : 8;
        int near = expected.Zip(actual).Count(pair => Math.Abs(pair.First - pair.Second) <= most);
        Assert.True(near >= Share * expected.Length, $"{near} of {expected.Length} values are within {most} levels.");
        double psnr = 10 * Math.Log10(255.0 * 255 / expected.Zip(actual).Average(pair => Math.Pow(pair.First - pair.Second, 2)));
        TestContext.Current.SendDiagnosticMessage($"{id} in {dtype}: {psnr:F1} dB.");
        Assert.True(psnr >= LeastPsnr, $"{psnr:F1} dB");

        static byte[] Draw(Device device, DType dtype)
        {
            using var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder,
                new PipelineOptions { Device = device, DType = dtype });
            Assert.Equal(dtype, pipeline.DType);
            return pipeline.Generate(new ImageRequest("a red heart") { Seed = 42 }, null, default).Images[0].Pixels.ToArray();
        }
    }

    /// <summary>Runs a model with its weights in bfloat16 and activations in float32, then with both in one type.</summary>
    private static void Check(GoldenCase golden, DType dtype, Func<DType, DType, Dictionary<string, float[]>> run)
    {
        const double Finer = 8; // float16 has three more bits
        var weightsAlone = run(DType.Float32, DType.BFloat16);
        foreach (var (output, values) in run(dtype, dtype))
        {
            double error = golden.Check(output, weightsAlone[output], double.MaxValue) / (dtype == DType.Float16 ? Finer : 1);
            Assert.InRange(error, 1e-4, 0.2); // the weights were rounded, and the result is still near the reference
            TestContext.Current.SendDiagnosticMessage(
                $"{golden} {output} in {dtype}: {golden.Check(output, values, OfWeightsAlone * error):G3} of the rms, with weights alone "
                    + $"{error:G3}");
        }
    }

    private static TheoryData<string, DType> Of(params DType[] dtypes)
    {
        var data = new TheoryData<string, DType>();
        foreach (string device in TestDevices.Gpus)
            foreach (var dtype in dtypes) data.Add(device, dtype);
        return data;
    }
}
