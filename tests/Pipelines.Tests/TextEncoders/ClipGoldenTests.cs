using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// CLIP text encoders against transformers: every recorded prompt, every hidden state, the pooled embedding with and without projection.
/// </summary>
public sealed class ClipGoldenTests
{
    /// <summary>What the reference data's README suggests for an fp32 engine; the reference's own rounding noise is 3e-6.</summary>
    private const double Tolerance = 2e-5;

    [Theory]
    [InlineData("tiny-sdxl", "text_encoder")]
    [InlineData("tiny-sdxl", "text_encoder_2")]
    [InlineData("tiny-sd15", "text_encoder")]
    [InlineData("tiny-sd21-v", "text_encoder")]
    [InlineData("tiny-flux-dev", "text_encoder")]
    [InlineData("tiny-sd3", "text_encoder")]
    [InlineData("tiny-sd3", "text_encoder_2")]
    public void Encode_RecordedPrompts_MatchInEveryHiddenStateAndPooled(string model, string encoder)
    {
        var golden = Golden.Open($"{model}-goldens/{encoder}");
        using var clip = TestTextEncoder.Open($"{model}/{encoder}");
        double worst = 0;
        foreach (var run in golden.Cases)
        {
            var last = clip.Run(run, ClipHiddenState.StableDiffusion(null), pooled: true);
            worst = Math.Max(worst, run.Check("last_hidden_state", last.Hidden, Tolerance));
            worst = Math.Max(worst, run.Check("pooled", last.Pooled, Tolerance));
            worst = Math.Max(worst, run.Check("penultimate", clip.Run(run, ClipHiddenState.StableDiffusionXl(null), pooled: false).Hidden,
                Tolerance));
            for (int i = 0; run.Outputs.ContainsKey($"hidden_{i}"); i++)
                worst = Math.Max(worst, run.Check($"hidden_{i}",
                    clip.Run(run, new ClipHiddenState(clip.Model.Config.Layers - i, FinalNorm: false), pooled: false).Hidden, Tolerance));
        }

        Assert.Contains(golden.Cases, c => c.Outputs.ContainsKey("hidden_0"));
        TestContext.Current.SendDiagnosticMessage($"{model} {encoder}: {worst:g3} of rms");
    }

    [Fact]
    public void Encode_ClipSkip_IsAnEarlierLayerWithTheNormOnlyInStableDiffusion()
    {
        var run = Golden.Open("tiny-sdxl-goldens/text_encoder")["all_layers"];
        using var clip = TestTextEncoder.Open("tiny-sdxl/text_encoder");

        // hidden_states[-(clip_skip + 2)] of three layers: clip skip 1 is layer 1's result, and clip skip 0 is the default.
        run.Check("hidden_1", clip.Run(run, ClipHiddenState.StableDiffusionXl(1), pooled: false).Hidden, Tolerance);
        run.Check("penultimate", clip.Run(run, ClipHiddenState.StableDiffusionXl(0), pooled: false).Hidden, Tolerance);
        run.Check("last_hidden_state", clip.Run(run, ClipHiddenState.StableDiffusion(null), pooled: false).Hidden, Tolerance);

        // StableDiffusionPipeline applies the final norm to hidden_states[-(clip_skip + 1)]; done here on the recorded state.
        using var checkpoint = Checkpoint.OpenFolder(Golden.Folder("tiny-sdxl/text_encoder"));
        float[] expected = Normalised(run.Output("hidden_2"), new TestWeights(checkpoint), 1e-5);
        Close.Check("clip skip 1", clip.Run(run, ClipHiddenState.StableDiffusion(1), pooled: false).Hidden, expected, Tolerance);
    }

    [Fact]
    public void Compile_EarlierLayer_RecordsNoLaterOne()
    {
        using var clip = TestTextEncoder.Open("tiny-sdxl/text_encoder");
        string[] early = [.. clip.Encoder.Compile(ClipHiddenState.StableDiffusionXl(null), pooled: false).Graph.Named.Keys];
        Assert.Contains("text_model.encoder.layers.1", early);
        Assert.DoesNotContain("text_model.encoder.layers.2", early);
        Assert.DoesNotContain("text_model.final_layer_norm", early);

        string[] pooled = [.. clip.Encoder.Compile(ClipHiddenState.StableDiffusionXl(null), pooled: true).Graph.Named.Keys];
        Assert.Contains("text_model.final_layer_norm", pooled);
        Assert.DoesNotContain("text_model.final_layer_norm@2", pooled);
        Assert.Single(pooled, "text_model.encoder.layers.2");
    }

    [Fact]
    public void Encode_EqualPrompts_RunsTheEncoderOnce()
    {
        using var clip = TestTextEncoder.Open("tiny-sdxl/text_encoder");
        int[] ids = [.. Enumerable.Range(0, 77)];
        var state = ClipHiddenState.StableDiffusion(null);
        var first = clip.Encode(ids, 1, state, pooled: true);
        var cancelled = new CancellationToken(true); // stops the encoder, and not the copy of a kept result
        Assert.Equal(first.Hidden, clip.Encode(ids, 1, state, pooled: true, cancelled).Hidden);
        clip.Encoder.Trim();
        Assert.Throws<OperationCanceledException>(() => { clip.Encode(ids, 1, state, pooled: true, cancelled); });
    }

    /// <summary>The final layer norm in float64.</summary>
    private static float[] Normalised(float[] x, TestWeights weights, double epsilon)
    {
        var (scale, shift) = (weights.Find("text_model.final_layer_norm.weight")!.Span<float>().ToArray(),
            weights.Find("text_model.final_layer_norm.bias")!.Span<float>().ToArray());
        float[] y = new float[x.Length];
        for (int row = 0; row < x.Length; row += scale.Length)
        {
            double[] values = [.. x.AsSpan(row, scale.Length).ToArray().Select(v => (double)v)];
            double mean = values.Average(), variance = values.Average(v => (v - mean) * (v - mean));
            for (int i = 0; i < scale.Length; i++)
                y[row + i] = (float)((values[i] - mean) / Math.Sqrt(variance + epsilon) * scale[i] + shift[i]);
        }

        return y;
    }
}
