using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Pipelines.Tests;

public class LatentNoiseTests
{
    [Fact]
    public void Fill_AGeneratorPerImage_IsTheRecordedBatch()
    {
        float[] expected = Golden.Open("ops/torch_randn")["generator_list"].Output("y"), actual = new float[expected.Length];
        LatentNoise.Fill([new TorchGenerator(0), new TorchGenerator(1)], actual, 2);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 2e-6);
    }

    [Fact]
    public void Fill_OneGenerator_DrawsTheBatchAsOneTensor()
    {
        float[] batch = new float[2 * 20], whole = new float[40];
        LatentNoise.Fill([new TorchGenerator(5)], batch, 2);
        new TorchGenerator(5).Fill(whole);
        Assert.Equal(whole, batch);
    }

    [Fact]
    public void Fill_CountsThatDoNotFit_SaysBoth()
    {
        Assert.Contains("2 generators",
            Assert.Throws<ArgumentException>(() => LatentNoise.Fill([new(0), new(1)], new float[12], 3)).Message, StringComparison.Ordinal);
        Assert.Contains("10 latent values", Assert.Throws<ArgumentException>(() => LatentNoise.Fill([new(0)], new float[10], 3)).Message,
            StringComparison.Ordinal);
    }
}
