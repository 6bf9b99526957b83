using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The autoencoder against diffusers: encode, decode, every recorded sub-module, with and without tiling.</summary>
public sealed class VaeGoldenTests
{
    /// <summary>What the reference data's README suggests for an fp32 engine; the reference's own rounding noise is up to 2e-5.</summary>
    private const double Tolerance = 2e-4;

    [Theory]
    [InlineData("tiny-sdxl")]
    [InlineData("tiny-sd15")]
    [InlineData("tiny-sd21-v")]
    [InlineData("tiny-flux-dev")]
    public void EncodeAndDecode_RecordedCases_MatchReference(string model)
    {
        var golden = Golden.Open($"{model}-goldens/vae");
        using var vae = TestVae.Open(model);
        double worst = 0;
        foreach (var run in golden.Cases.Where(c => !c.Id.StartsWith("tiled", StringComparison.Ordinal)))
            worst = Math.Max(worst, run.Inputs.ContainsKey("latent") ? run.Check("image", vae.Decode(run), Tolerance)
                : CheckMoments(run, vae.Encode(run)));

        Assert.Contains(golden.Cases, c => c.Inputs.ContainsKey("latent"));
        Assert.Contains(golden.Cases, c => c.Inputs.ContainsKey("image"));
        TestContext.Current.SendDiagnosticMessage($"{model} vae: {worst:g3} of rms");
    }

    [Theory]
    [InlineData("tiny-sdxl")]
    [InlineData("tiny-sd15")]
    [InlineData("tiny-flux-dev")]
    public void EncodeAndDecode_EveryRecordedSubModule_MatchesReference(string model)
    {
        using var vae = TestVae.Open(model);
        int compared = 0;
        foreach (var run in Golden.Open($"{model}-goldens/vae").Cases)
        {
            string[] names = [.. run.Outputs.Keys.Where(k => k.StartsWith("act/", StringComparison.Ordinal))
                .Select(k => k["act/".Length..])];
            if (names.Length == 0) continue;
            bool decode = run.Inputs.ContainsKey("latent");
            string input = decode ? "latent" : "image";
            var shape = run.InputShape(input);
            using var plan = (decode ? vae.Coder.DecoderGraph
                : vae.Coder.EncoderGraph).Rent(new Sizes(("batch", shape[0]), ("height", shape[2]), ("width", shape[3])), names);
            Images.ToNhwc(run.Input(input), shape).CopyTo(plan.Input("x").Span<float>());
            plan.Run();
            foreach (string name in names)
            {
                run.Check($"act/{name}", TestVae.ToNchw(plan.Named(name).Span<float>().ToArray(), run.OutputShape($"act/{name}")),
                    Tolerance);
                compared++;
            }
        }

        Assert.True(compared > 20, $"{compared} sub-modules were compared");
    }

    [Fact]
    public void TiledDecode_RecordedCase_MatchesReferenceAndDiffersFromTheUntiledOne()
    {
        var golden = Golden.Open("tiny-sdxl-goldens/vae");
        using var vae = TestVae.Open("tiny-sdxl");
        golden["untiled_decode_20x14"].Check("image", vae.Decode(golden["untiled_decode_20x14"]), Tolerance);

        float[] tiled = vae.Decode(golden["tiled_decode_20x14"], new VaeTiling(64));

        golden["tiled_decode_20x14"].Check("image", tiled, Tolerance);
        Assert.Throws<Xunit.Sdk.FailException>(() => golden["untiled_decode_20x14"].Check("image", tiled, Tolerance));

        golden["untiled_decode_20x14"].Check("image", vae.Decode(golden["untiled_decode_20x14"]), Tolerance);
    }

    [Fact]
    public void TiledEncode_RecordedCase_MatchesReference()
    {
        var run = Golden.Open("tiny-sdxl-goldens/vae")["tiled_encode_112x96"];
        using var vae = TestVae.Open("tiny-sdxl");
        CheckMoments(run, vae.Encode(run, new VaeTiling(64)));
    }

    [Fact]
    public void Sample_RecordedDeviation_IsMeanPlusDeviationTimesNoise()
    {
        var run = Golden.Open("tiny-sdxl-goldens/vae")["encode_b2_48x72"];
        using var vae = TestVae.Open("tiny-sdxl");
        var latents = vae.Encode(run);
        Assert.Equal((2, 6, 9, 4), (latents.Count, latents.Height, latents.Width, latents.Channels));
        float[] noise = [.. Enumerable.Range(0, latents.Mean.Length).Select(i => (i % 7 - 3) / 2f)];
        float[] mean = Images.ToNhwc(run.Output("mean"), run.OutputShape("mean")),
            deviation = Images.ToNhwc(run.Output("std"), run.OutputShape("std"));

        float[] expected = [.. mean.Select((m, i) => m + deviation[i] * noise[i])];

        Close.Check("sample", latents.Sample(noise), expected, Tolerance);
        Assert.Equal(latents.Mean, latents.Sample(new float[noise.Length]));
        Assert.Throws<ShapeException>(() => latents.Sample(noise.AsSpan(1)));
    }

    private static double CheckMoments(GoldenCase run, LatentDistribution latents) => Math.Max(
        run.Check("mean", TestVae.ToNchw(latents.Mean, run.OutputShape("mean")), Tolerance),
        run.Check("logvar", TestVae.ToNchw(latents.LogVariance, run.OutputShape("logvar")), Tolerance));
}
