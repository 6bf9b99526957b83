using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// One compiled graph serves every size. Compilations are counted for the whole process, so nothing else may compile meanwhile.
/// </summary>
[Collection(nameof(CompilationCount))]
public class UNetSizesTests
{
    /// <summary>Batch, height, width, tokens: multiples of the deepest level's factor, odd ones, a single pixel, long prompts.</summary>
    private static readonly (int Batch, int Height, int Width, int Tokens)[] Sizes =
    [
        (1, 8, 8, 77), (2, 8, 8, 77), (3, 8, 8, 77), (4, 8, 8, 77), (1, 16, 12, 77), (1, 12, 16, 77), (2, 9, 8, 77), (1, 8, 9, 77),
            (4, 7, 5, 77),
        (1, 13, 11, 154), (2, 1, 1, 77), (1, 1, 6, 1), (3, 2, 3, 5), (1, 21, 17, 77), (2, 15, 10, 231),
    ];

    [Theory]
    [InlineData("tiny-sdxl", 6)]
    [InlineData("tiny-sdxl-refiner", 5)]
    [InlineData("tiny-sd15", 0)]
    public void Run_ManySizes_CompilesOnceAndEqualsAFreshCompilation(string model, int timeIds)
    {
        using var unet = TestUNet.Open(model, timeIds);
        int compilations = CompiledGraph.Compilations;

        float[][] results = [.. Sizes.Select(s => unet.Run(s.Batch, s.Height, s.Width, s.Tokens))];
        float[][] again = [.. Sizes.Reverse().Select(s => unet.Run(s.Batch, s.Height, s.Width, s.Tokens)).Reverse()];

        Assert.Equal(compilations, CompiledGraph.Compilations);
        Assert.Equal(Sizes.Length, unet.Compiled.Plans);
        for (int i = 0; i < Sizes.Length; i++)
        {
            var s = Sizes[i];
            using var fresh = TestUNet.Open(model, timeIds);
            float[] expected = fresh.Run(s.Batch, s.Height, s.Width, s.Tokens);
            Assert.Equal(s.Batch * s.Height * s.Width * 4, expected.Length);
            Assert.All(expected, v => Assert.True(float.IsFinite(v)));
            AssertSameBits(expected, results[i], $"{s}");
            AssertSameBits(expected, again[i], $"{s} again");
        }
    }

    [Fact]
    public void Run_512Then768Then512ThenBatchOfTwo_CompilesNothingAndEqualsFreshRuns()
    {
        using var unet = TestUNet.Open("tiny-sdxl", 6);
        (int Batch, int Side)[] sizes = [(1, 64), (1, 96), (1, 64), (2, 64), (1, 64)]; // in latents
        float[] first = unet.Run(1, 64, 64, 77);
        var (graphs, kernels) = (CompiledGraph.Compilations, unet.Compiled.Device.Kernels.Compilations);
        float[][] results = [.. sizes.Select(s => unet.Run(s.Batch, s.Side, s.Side, 77))];
        Assert.Equal((graphs, kernels), (CompiledGraph.Compilations, unet.Compiled.Device.Kernels.Compilations));
        AssertSameBits(first, results[0], "512 again");
        for (int i = 1; i < sizes.Length; i++)
        {
            using var fresh = TestUNet.Open("tiny-sdxl", 6);
            AssertSameBits(fresh.Run(sizes[i].Batch, sizes[i].Side, sizes[i].Side, 77), results[i], $"{sizes[i]}");
        }
    }

    [Theory]
    [InlineData("tiny-sdxl", 6)]
    [InlineData("tiny-sd15", 0)]
    public void Run_OneOrTwoThreads_SameBits(string model, int timeIds)
    {
        using var one = TestUNet.Open(model, timeIds, mask: true, threads: 1);
        using var two = TestUNet.Open(model, timeIds, mask: true, threads: 2);
        foreach (var s in new[] { (2, 16, 16, 77), (1, 13, 9, 20), (3, 1, 1, 77) })
            AssertSameBits(one.Run(s.Item1, s.Item2, s.Item3, s.Item4), two.Run(s.Item1, s.Item2, s.Item3, s.Item4), $"{s}");
    }

    private static void AssertSameBits(float[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
                Assert.Fail($"{what}: element {i} of {expected.Length} is {actual[i]:g9}; {expected[i]:g9} is expected.");
    }
}

/// <summary>Tests that count compilations run alone.</summary>
[CollectionDefinition(nameof(CompilationCount), DisableParallelization = true)]
public class CompilationCount;
