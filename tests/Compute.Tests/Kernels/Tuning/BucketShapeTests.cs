using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The shapes that distinguish buckets, and their texts in tuning tables.</summary>
public sealed class BucketShapeTests
{
    [Theory]
    [InlineData("640→1280"), InlineData("640→2·2560"), InlineData("640→640+640+640"), InlineData("320→640 3x3")]
    [InlineData("320→320 3x3 /2"), InlineData("10x64 self"), InlineData("10x64 96 keys")]
    [InlineData("12x64 self causal"), InlineData("12x64 96 keys causal")]
    public void Parse_TextOfATable_GivesItBack(string text) => Assert.Equal(text, BucketShape.Parse(text)!.ToString());

    [Theory]
    [InlineData(""), InlineData("640"), InlineData("640→"), InlineData("640→1280\n")]
    [InlineData("640→9999999999"), InlineData("x640→1280"), InlineData("10x64")]
    public void Parse_OtherText_GivesNothing(string text) => Assert.Null(BucketShape.Parse(text));

    [Fact]
    public void Bucket_OfEveryCase_IsFoundByItsText()
    {
        static OpSignature Signature(OpCase c) => TranslatingDevice.Signature(c.Op, c.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
        var cases = OpCatalog.Cases.SelectMany(c => c.Cases);
        BucketShape[] shapes = [.. cases.Select(c => c.Op.Bucket(Signature(c))?.Shape).OfType<BucketShape>()];
        Assert.Equal(3, shapes.Select(s => s.GetType()).Distinct().Count());
        Assert.All(shapes, shape => Assert.Equal(shape, BucketShape.Parse(shape.ToString())));
    }

    [Fact]
    public void BucketShape_EqualParts_IsEqual()
    {
        Assert.Equal(new GemmShape(640, new ValueArray<int>([320, 320])), new GemmShape(640, new ValueArray<int>([320, 320])));
        Assert.NotEqual(new GemmShape(640, 1280), new GemmShape(640, 1280, gated: true));
        Assert.NotEqual<BucketShape>(new AttentionShape(10, 64, null, false), new AttentionShape(10, 64, 64, false));
    }
}
