using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// One compiled graph serves every batch and prompt length. Compilations are counted for the whole process, so nothing else may compile
/// meanwhile.
/// </summary>
[Collection(nameof(CompilationCount))]
public sealed class ClipSizesTests
{
    private static readonly (int Count, int Tokens)[] Sizes = [(1, 77), (2, 77), (3, 77), (4, 77), (1, 1), (2, 8), (5, 13), (1, 76)];

    [Fact]
    public void Encode_ManySizes_CompilesOnceAndTreatsEachPromptAsIfAlone()
    {
        using var clip = TestTextEncoder.Open("tiny-sdxl/text_encoder_2");
        int compilations = CompiledGraph.Compilations;

        foreach (var (count, tokens) in Sizes)
        {
            var together = clip.Encode(Ids(count, tokens), count, ClipHiddenState.StableDiffusion(null), pooled: true);
            Assert.Equal(count * tokens * 48, together.Hidden.Length);
            Assert.Equal(count * 40, together.Pooled.Length);
        }

        Assert.Equal(compilations + 1, CompiledGraph.Compilations);
        Assert.Equal(Sizes.Length, Assert.Single(clip.Encoder.Compiled).Plans);

        // Causal attention and no mixing between prompts: an entry of a batch equals the prompt alone, a prefix equals its part of the
        // longer prompt.
        var batch = clip.Encode(Ids(4, 77), 4, ClipHiddenState.StableDiffusion(null), pooled: true);
        var alone = clip.Encode(Ids(4, 77).AsSpan(2 * 77, 77), 1, ClipHiddenState.StableDiffusion(null), pooled: true);
        Close.Check("third prompt", alone.Hidden, batch.Hidden.AsSpan(2 * 77 * 48, 77 * 48), 1e-5);
        Close.Check("third prompt's pooled", alone.Pooled, batch.Pooled.AsSpan(2 * 40, 40), 1e-5);
        var prefix = clip.Encode(Ids(4, 77).AsSpan(2 * 77, 9), 1, ClipHiddenState.StableDiffusion(null), pooled: false);
        Close.Check("first nine tokens", prefix.Hidden, alone.Hidden.AsSpan(0, 9 * 48), 1e-5);
    }

    [Fact]
    public void Encode_OneOrTwoThreads_SameBits()
    {
        using var one = TestTextEncoder.Open("tiny-sdxl/text_encoder_2", threads: 1);
        using var two = TestTextEncoder.Open("tiny-sdxl/text_encoder_2", threads: 2);
        Assert.Equal(one.Encode(Ids(3, 77), 3, ClipHiddenState.StableDiffusion(null), true).Hidden,
            two.Encode(Ids(3, 77), 3, ClipHiddenState.StableDiffusion(null), true).Hidden);
    }

    [Fact]
    public void Encode_WhatTheModelCannotRead_IsRefusedWithAReason()
    {
        using var clip = TestTextEncoder.Open("tiny-sdxl/text_encoder");
        Assert.Contains("at most 77", Assert.Throws<ShapeException>(() => Encode(78, 1, new(0, true))).Message, StringComparison.Ordinal);
        Assert.Contains("same positive number", Assert.Throws<ShapeException>(() => Encode(77, 2, new(0, true))).Message,
            StringComparison.Ordinal);
        Assert.Contains("same positive number", Assert.Throws<ShapeException>(() => Encode(0, 0, new(0, true))).Message,
            StringComparison.Ordinal);
        Assert.Contains("0 to 3", Assert.Throws<ShapeException>(() => Encode(77, 1, ClipHiddenState.StableDiffusionXl(3))).Message,
            StringComparison.Ordinal);
        Assert.Contains("0 to 3", Assert.Throws<ShapeException>(() => Encode(77, 1, ClipHiddenState.StableDiffusion(-1))).Message,
            StringComparison.Ordinal);
        Assert.Contains("2050", Assert.Throws<ArgumentOutOfRangeException>(() =>
            clip.Encode([5, 2050], 1, ClipHiddenState.StableDiffusion(null), false)).Message, StringComparison.Ordinal);

        void Encode(int ids, int count, ClipHiddenState state) => clip.Encode(new int[ids], count, state, pooled: false);
    }

    [Fact]
    public void Encode_Cancelled_StopsAndTheNextCallWorks()
    {
        using var clip = TestTextEncoder.Open("tiny-sdxl/text_encoder");
        Assert.Throws<OperationCanceledException>(() =>
            clip.Encode(Ids(1, 77), 1, ClipHiddenState.StableDiffusion(null), true, new CancellationToken(true)));
        Assert.All(clip.Encode(Ids(1, 77), 1, ClipHiddenState.StableDiffusion(null), true).Hidden,
            v => Assert.True(float.IsFinite(v)));
    }

    private static int[] Ids(int count, int tokens)
    {
        var random = new Random(count * 100 + tokens);
        return [.. Enumerable.Range(0, count * tokens).Select(_ => random.Next(2050))];
    }
}
