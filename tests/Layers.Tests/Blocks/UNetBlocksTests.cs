using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Blocks;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Transformers;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>
/// Weights, sizes and names of the UNet's blocks. Their results are compared with the reference library's as parts of the UNets.
/// </summary>
public class UNetBlocksTests
{
    private static readonly ResnetOptions Resnet = new(128, 32, 1e-5);
    private static readonly Dim Height = Dim.Symbol("h"), Width = Dim.Symbol("w");

    [Theory]
    [InlineData(64, 64, true, 10)]
    [InlineData(32, 64, true, 12)]
    [InlineData(64, 64, false, 8)]
    public void Resnet_ChannelsAndTime_DecideTheParameters(int inChannels, int outChannels, bool time, int parameters)
    {
        var block = new ResnetBlock2D(inChannels, outChannels, Resnet with { TimeChannels = time ? 128 : null });
        Assert.Equal(parameters, block.Parameters.Count());
    }

    [Theory]
    [InlineData(true, "needs a time embedding")]
    [InlineData(false, "does not take a time embedding")]
    public void Resnet_TimeMissingOrSuperfluous_IsRefused(bool declared, string message)
    {
        var block = new ResnetBlock2D(64, 64, Resnet with { TimeChannels = declared ? 128 : null });
        var e = Assert.Throws<ArgumentException>(() => Graph.Trace("test", g => block.Forward(
            g.Input("x", DType.Float32, 1, 8, 8, 64), declared ? null : g.Input("time", DType.Float32, 1, 1, 1, 128))));
        Assert.Contains(message, e.Message);
    }

    [Theory]
    [InlineData(1, 8, 4)]
    [InlineData(1, 7, 4)]
    [InlineData(1, 1, 1)]
    [InlineData(0, 8, 4)]
    [InlineData(0, 7, 3)]
    public void Downsample_Padding_GivesTheReferencesSize(int padding, int height, int expected)
    {
        var graph = Graph.Trace("test",
            g => g.Output("y", new Downsample2D(64, padding).Forward(g.Input("x", DType.Float32, 1, height, 8, 64))));
        Assert.Equal($"Float32[1, {expected}, 4, 64]", graph.Outputs["y"].Type.ToString());
    }

    [Theory]
    [InlineData(8, 12)]
    [InlineData(7, 5)]
    [InlineData(1, 2)]
    public void DownAndUp_AnySize_SkipsAreNamedAndUsedUp(int height, int width)
    {
        var transformer = new TransformerOptions(1, 4, 80, 32, LinearProjection: true);
        var model = new Model(new DownBlock2D(32, 64, 2, Resnet, transformer, 1),
            new UpBlock2D(64, 64, 64, 1, Resnet, transformer, upsample: true));
        Stack<Value>? left = null;
        var graph = Graph.Trace("test", g =>
        {
            var x = g.Input("x", DType.Float32, 2, Height, Width, 32);
            Value time = g.Input("time", DType.Float32, 2, 1, 1, 128), prompt = g.Input("prompt", DType.Float32, 2, 77, 80);
            left = new Stack<Value>();
            x = model.Down.Forward(x, time, prompt, null, left);
            Assert.Equal(["down#1.0", "down#1.1", "down#1.2"], g.Named.Keys.Where(n => n.Contains('#')));
            Assert.Same(g.Named["down"], g.Named["down#1.2"]);
            Assert.Same(g.Named["down.attentions.1"], g.Named["down#1.1"]);
            g.Output("y", model.Up.Forward(x, time, prompt, null, left));
        });

        Assert.Equal(2, left!.Count);
        var sizes = new Sizes(("h", height), ("w", width));
        Assert.Equal($"Float32[2, {(height + 1) / 2}, {(width + 1) / 2}, 64]", graph.Named["down"].Type.Resolve(sizes).ToString());
        Assert.Equal($"Float32[2, {height}, {width}, 64]", graph.Outputs["y"].Type.Resolve(sizes).ToString());
    }

    [Fact]
    public void Up_SkipChannels_FollowTheCoarserInputAndTheFinerSkip()
    {
        var block = new UpBlock2D(inChannels: 32, prevChannels: 96, outChannels: 64, layers: 3, Resnet, null, upsample: false);
        Assert.Equal([96 + 64, 64 + 64, 64 + 32],
            block.Parameters.Where(p => p.Path.EndsWith("norm1.weight", StringComparison.Ordinal)).Select(p => p.Shape.Last));
    }

    private sealed class Model : Layer
    {
        public Model(DownBlock2D down, UpBlock2D up) => (Down, Up) = (Child("down", down), Child("up", up));

        public DownBlock2D Down { get; }

        public UpBlock2D Up { get; }
    }
}
