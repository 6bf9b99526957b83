using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Quantization;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Which layers filters select.</summary>
public sealed class QuantizationFilterTests
{
    [Theory]
    [InlineData("all", "blocks.0.attn1.to_q blocks.0.attn2.to_k blocks.1.proj")]
    [InlineData("ALL", "blocks.0.attn1.to_q blocks.0.attn2.to_k blocks.1.proj")]
    [InlineData("*.attn1.*", "blocks.0.attn1.to_q")]
    [InlineData("blocks.?.attn?.*, small.x", "blocks.0.attn1.to_q blocks.0.attn2.to_k small.x")]
    [InlineData("blocks.1.proj", "blocks.1.proj")]
    [InlineData("!*.attn2.*", "blocks.0.attn1.to_q blocks.1.proj")]
    [InlineData("blocks.0.*,!*.to_k", "blocks.0.attn1.to_q")]
    [InlineData("all,!blocks.0.*", "blocks.1.proj"), InlineData("recommended", "blocks.0.attn1.to_q blocks.1.proj")]
    public void Parse_NamesAndPatterns_SelectTheirLayers(string text, string expected)
    {
        var filter = QuantizationFilter.Parse(text);
        Assert.Equal(expected, string.Join(' ', Layers().Where(filter.Selects).Select(layer => layer.Path)));
        Assert.Empty(filter.Unmatched(Layers()));
        Assert.True(filter.IsText);
        Assert.Equal(Layers().Where(filter.Selects).Count(), Layers().Where(QuantizationFilter.Parse(filter.Name).Selects).Count());
    }

    [Theory, InlineData("gide", "'gide'"), InlineData("all,", "''"), InlineData("", "''"), InlineData("!none", "'!none'")]
    public void Parse_UnknownName_IsRefusedWithTheKnownOnes(string text, string quoted)
    {
        string message = Assert.Throws<FormatException>(() => QuantizationFilter.Parse(text)).Message;
        Assert.StartsWith(quoted, message, StringComparison.Ordinal);
        foreach (var filter in QuantizationFilter.Named) Assert.Contains(filter.Name, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unmatched_PatternsOfAnotherModel_AreListed() =>
        Assert.Equal(["*.ff.*", "!transformer.*"],
            QuantizationFilter.Parse("all,*.ff.*,!transformer.*,*.attn1.*").Unmatched(Layers()));

    /// <summary>in_features, out_features of linear layers, and channels of 1×1 convolutions, as the guide's functions decide.</summary>
    [Theory]
    [InlineData(false, 640, 640, false), InlineData(false, 1280, 1280, true), InlineData(false, 640, 5120, false)]
    [InlineData(false, 2560, 640, true), InlineData(false, 16, 64, false), InlineData(false, 17, 64, true)]
    [InlineData(true, 128, 256, true), InlineData(true, 256, 128, false), InlineData(true, 512, 256, false)]
    [InlineData(true, 320, 320, false), InlineData(true, 128, 128, true)]
    public void Guide_OfASize_DecidesAsTheGuide(bool convolution, int width, int outputs, bool expected) => Assert.Equal(expected,
        QuantizationFilter.Guide.Selects(convolution ? new Conv2d(width, outputs, 1) : new Linear(width, outputs)));

    private static QuantizableLayer[] Layers() => [.. DynamicQuantization.LayersOf(new Model())];

    private sealed class Model : Layer
    {
        public Model()
        {
            Child("blocks.0.attn1.to_q", new Linear(32, 32));
            Child("blocks.0.attn2.to_k", new Linear(32, 32));
            Child("blocks.1.proj", new Conv2d(32, 32, 1));
            Child("blocks.1.conv", new Conv2d(32, 32, 3, padding: 1));
            Child("blocks.1.down", new Conv2d(32, 32, 1, stride: 2));
            Child("small.x", new Linear(8, 8));
        }
    }
}
