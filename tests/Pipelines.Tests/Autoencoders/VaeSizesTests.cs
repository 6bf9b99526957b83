using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// One compiled graph serves every size and every tile. Compilations are counted for the whole process, so nothing else may compile
/// meanwhile.
/// </summary>
[Collection(nameof(CompilationCount))]
public sealed class VaeSizesTests
{
    /// <summary>Batch, height, width of latents: even, odd, thin, a single one.</summary>
    private static readonly (int Count, int Height, int Width)[] Sizes = [(1, 4, 4), (2, 4, 4), (3, 5, 4), (4, 3, 7), (1, 9, 13), (1, 1, 1),
        (2, 1, 6), (1, 13, 9)];

    [Fact]
    public void Decode_ManySizes_CompilesOnceWithAPlanEach()
    {
        using var vae = TestVae.Open("tiny-sdxl");
        int compilations = CompiledGraph.Compilations;

        float[][] first = [.. Sizes.Select(s => vae.Decode(s.Count, s.Height, s.Width))];
        float[][] again = [.. Sizes.Reverse().Select(s => vae.Decode(s.Count, s.Height, s.Width)).Reverse()];

        Assert.Equal(compilations + 1, CompiledGraph.Compilations);
        Assert.Equal(Sizes.Length, vae.Coder.DecoderGraph.Plans);
        for (int i = 0; i < Sizes.Length; i++)
        {
            Assert.Equal(Sizes[i].Count * Sizes[i].Height * Sizes[i].Width * 64 * 3, first[i].Length);
            Assert.All(first[i], v => Assert.True(float.IsFinite(v)));
            Assert.Equal(first[i], again[i]);
        }
    }

    [Fact]
    public void Encode_ManySizes_CompilesOnceWithAPlanEach()
    {
        using var vae = TestVae.Open("tiny-sdxl");
        int compilations = CompiledGraph.Compilations;
        foreach (var (count, height, width) in Sizes)
        {
            var latents = vae.Coder.Encode(new float[count * height * width * 64 * 3], count, height * 8, width * 8);
            Assert.Equal((count, height, width), (latents.Count, latents.Height, latents.Width));
        }

        Assert.Equal(compilations + 1, CompiledGraph.Compilations);
        Assert.Equal(Sizes.Length, vae.Coder.EncoderGraph.Plans);
    }

    [Fact]
    public void TiledDecode_ManyTiles_CompilesOnceAndTakesLessMemory()
    {
        using var vae = TestVae.Open("tiny-sdxl");
        int compilations = CompiledGraph.Compilations;
        var tiling = new VaeTiling(64);

        float[] tiled = vae.Decode(1, 20, 14, tiling); // tiles of 8 and, at the edges, 2 latents

        Assert.Equal(20 * 14 * 64 * 3, tiled.Length);
        Assert.Equal(compilations + 1, CompiledGraph.Compilations);
        Assert.Equal(4, vae.Coder.DecoderGraph.Plans);
        vae.Decode(1, 26, 20, tiling); // the same tile shapes
        Assert.Equal(4, vae.Coder.DecoderGraph.Plans);
        Assert.True(Arena(8, 8) < Arena(20, 14) / 3);

        long Arena(int height, int width)
        {
            using var plan = vae.Coder.DecoderGraph.Rent(new Sizes(("batch", 1), ("height", height), ("width", width)));
            return plan.ArenaBytes;
        }
    }

    [Fact]
    public void TiledDecode_WhatFitsOneTile_IsNotTiled()
    {
        using var vae = TestVae.Open("tiny-sdxl");
        float[] whole = vae.Decode(2, 8, 5);
        Assert.Equal(whole, vae.Decode(2, 8, 5, new VaeTiling(64)));
    }

    [Fact]
    public void Decode_OneOrTwoThreads_SameBits()
    {
        using var one = TestVae.Open("tiny-sdxl", threads: 1);
        using var two = TestVae.Open("tiny-sdxl", threads: 2);
        Assert.Equal(one.Decode(2, 5, 7), two.Decode(2, 5, 7));
    }

    [Fact]
    public void EncodeAndDecode_SizesThatDoNotFit_SayWhatWould()
    {
        using var vae = TestVae.Open("tiny-sdxl");
        Assert.Contains("[1, 4, 4, 4]", Assert.Throws<ShapeException>(() => vae.Coder.Decode(new float[63], 1, 4, 4)).Message,
            StringComparison.Ordinal);
        Assert.Contains("every size positive", Assert.Throws<ShapeException>(() => vae.Coder.Decode([], 0, 4, 4)).Message,
            StringComparison.Ordinal);
        Assert.Contains("a multiple of 8", Assert.Throws<ShapeException>(() => vae.Coder.Encode(new float[3 * 12 * 16], 1, 12, 16)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void TiledDecode_CancelledBetweenTiles_StopsThereAndTheNextCallWorks()
    {
        using var source = new CancellationTokenSource();
        var tiling = new TileGrid(64, 0.25, 8);
        int tiles = 0;
        Assert.Throws<OperationCanceledException>(() =>
            TiledRun.Run(Tile.Empty(1, 20, 14, 4), tiling.Latents, Tile.Empty(1, 160, 112, 3), tiling.Pixels, Model, source.Token));
        Assert.Equal(5, tiles);

        using var vae = TestVae.Open("tiny-sdxl");
        Assert.Throws<OperationCanceledException>(
            () => { vae.Coder.Decode(new float[20 * 14 * 4], 1, 20, 14, new VaeTiling(64), new CancellationToken(true)); });
        Assert.All(vae.Decode(1, 20, 14, new VaeTiling(64)), v => Assert.True(float.IsFinite(v)));

        Tile Model(Tile tile)
        {
            if (++tiles == 5) source.Cancel();
            return Tile.Empty(1, tile.Height * 8, tile.Width * 8, 3);
        }
    }
}
