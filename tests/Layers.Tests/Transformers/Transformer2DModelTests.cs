using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Transformers;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>
/// Names and shapes of the transformers' weights. Their results are compared with the reference library's as parts of the UNets.
/// </summary>
public class Transformer2DModelTests
{
    [Theory]
    [InlineData(true, "[64, 64]")]
    [InlineData(false, "[64, 64, 1, 1]")]
    public void Projections_LinearOrConvolution_DifferInTheirWeightsOnly(bool linear, string shape)
    {
        var transformer = new Transformer2DModel(64, new TransformerOptions(2, 4, 80, 32, linear));
        var shapes = transformer.Parameters.ToDictionary(p => p.Path, p => p.Shape.ToString());

        Assert.Equal(shape, shapes["proj_in.weight"]);
        Assert.Equal(shape, shapes["proj_out.weight"]);
        Assert.Equal("[64, 80]", shapes["transformer_blocks.1.attn2.to_k.weight"]);
        Assert.Equal("[512, 64]", shapes["transformer_blocks.0.ff.net.0.proj.weight"]);
        Assert.Equal("[64, 256]", shapes["transformer_blocks.0.ff.net.2.weight"]);
        Assert.DoesNotContain("transformer_blocks.0.attn1.to_q.bias", shapes.Keys);
        Assert.Contains("transformer_blocks.0.attn1.to_out.0.bias", shapes.Keys);
        Assert.Equal(2 + 4 + 2 * 20, shapes.Count);
    }

    [Fact]
    public void Forward_Image_ServesAsTokensAndNamesEveryModule()
    {
        var transformer = new Transformer2DModel(64, new TransformerOptions(1, 4, 80, 32, LinearProjection: true));
        var graph = Graph.Trace("test", g => g.Output("y", transformer.Forward(
            g.Input("x", DType.Float32, 2, Dim.Symbol("h"), Dim.Symbol("w"), 64), g.Input("prompt", DType.Float32, 2, 77, 80),
                g.Input("mask", DType.Float32, 2, 1, 77))));

        Assert.Equal("Float32[2, h, w, 64]", graph.Outputs["y"].Type.ToString());
        string[] modules = ["norm", "proj_in", "transformer_blocks.0", "transformer_blocks.0.norm3", "transformer_blocks.0.attn1",
            "transformer_blocks.0.attn2.to_out.0", "transformer_blocks.0.ff.net.2", "proj_out"];
        Assert.All(modules, m => Assert.Contains(m, graph.Named.Keys));
        Node[] attentions = [.. graph.Nodes.Where(n => n.Op is ScaledDotProductAttention)];
        Assert.Equal([3, 4], attentions.Select(n => n.Inputs.Length)); // only the prompt's tokens are masked
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-2)]
    [InlineData(5)]
    public void New_HeadsThatDoNotDivide_AreRefused(int heads) =>
        Assert.Contains($"64 channels are not divisible by {heads} heads",
            Assert.Throws<ArgumentException>(() => new BasicTransformerBlock(64, heads, 80)).Message);

    [Fact]
    public void Attention_WithBias_DeclaresIt() =>
        Assert.Equal(8, new Attention(64, null, 1, 64, bias: true).Parameters.Count());
}
