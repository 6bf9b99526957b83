using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The same model from files with different types and layouts.</summary>
public sealed class StoredWeightsTests : IDisposable
{
    // bf16 rounds each weight by up to 2⁻⁹ = 2e-3 of itself. What that does to this model's final latents after two steps, in parts of
    // their rms, was measured as 0.016 and 0.031 (mean square) and 0.05 and 0.10 (worst of 256) for two prompts. The arithmetic adds
    // nothing: it is float32 anyway.
    private const double RoundedWeights = 0.05, SameNumbers = 1e-5;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Generate_ShardedWeights_SameBits()
    {
        var (whole, parts) = (Draw(TinySdxl.Folder), Draw(TinySdxl.CopySharded(folder.Path, 3)));
        Assert.Equal(whole.Latents!.Values, parts.Latents!.Values);
        Assert.Equal(whole.Images[0].Pixels, parts.Images[0].Pixels);
    }

    [Fact]
    public void Generate_Float16Weights_SameImage() // the tiny model's weights are representable in half precision
    {
        var (single, half) = (Draw(TinySdxl.Folder), Draw(TinySdxl.CopyAs(folder.Path, DType.Float16)));
        Close.Check("latents", half.Latents!.Values, single.Latents!.Values, SameNumbers);
        AssertWithinALevel(single.Images[0], half.Images[0]);
    }

    [Theory, InlineData("tiny-sd15")]
    public void Generate_Fp16Variant_SameImage(string model)
    {
        var (single, half) = (Draw(Golden.Folder(model)), Draw(Golden.Folder(model), "fp16"));
        Close.Check("latents", half.Latents!.Values, single.Latents!.Values, SameNumbers);
        AssertWithinALevel(single.Images[0], half.Images[0]);
    }

    [Fact]
    public void Generate_BFloat16Weights_ErrorIsThatOfTheWeights()
    {
        string rounded = TinySdxl.CopyAs(Path.Combine(folder.Path, "bf16"), DType.BFloat16),
            widened = TinySdxl.CopyAs(Path.Combine(folder.Path, "fp32"), DType.Float32, rounded);
        var (brain, single, exact) = (Draw(rounded).Latents!.Values, Draw(widened).Latents!.Values, Draw(TinySdxl.Folder).Latents!.Values);
        Close.Check("bf16 against the same numbers in float32", brain, single, SameNumbers);
        double worst = brain.Zip(exact, (a, b) => Math.Abs(a - b)).Max() / Close.Rms(exact);
        double mean = Close.Rms([.. brain.Zip(exact, (a, b) => a - b)]) / Close.Rms(exact);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"bf16 weights: final latents differ by {worst:g3} of rms at worst, {mean:g3} in the mean square.");
        Assert.InRange(mean, 1e-4, RoundedWeights); // rounded weights must make a difference, or these are the same files
    }

    private static GenerationResult Draw(string model, string? variant = null)
    {
        using var pipeline = DiffusionPipeline.FromPretrained(model, new PipelineOptions { Variant = variant });
        return pipeline.Generate(TinySdxl.Request with { Width = 64, Height = 64 }, null, default);
    }

    private static void AssertWithinALevel(Image expected, Image actual) =>
        Assert.All(expected.Pixels.Zip(actual.Pixels), pair => Assert.InRange(pair.Second - pair.First, -1, 1));
}
