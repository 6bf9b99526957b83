using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

public sealed class DimTests
{
    private static readonly Dim Height = Dim.Symbol("height");

    [Fact]
    public void Dim_Expression_PrintsAndEvaluates()
    {
        var dim = (Height + 1) / 2;
        Assert.Equal("(height + 1) / 2", dim.ToString());
        Assert.Equal(5, dim.Evaluate(new Sizes(("height", 9))));
        Assert.Null(dim.Constant);
        Assert.Equal(7, (Dim.FromInt32(3) * 2 + 1).Constant);
    }

    [Fact]
    public void Equality_OfEqualParts_IsTrueAndProductsDivideBack()
    {
        Assert.Equal(Height * 2, Dim.Symbol("height") * 2);
        Assert.NotEqual(Height, Height + 1);
        Assert.Equal(Height, Height * 2 / 2);
        Assert.Equal(Height * 2, Height + Height);
        Assert.Equal(((Height + 1) / 2).GetHashCode(), ((Dim.Symbol("height") + 1) / 2).GetHashCode());
        Assert.NotEqual((Height + 1) / 2, (Height - 1) / 2);
    }

    [Fact]
    public void Equality_OfOneTextButOtherParts_IsFalse()
    {
        Assert.NotEqual(Dim.Symbol("3"), Dim.FromInt32(3));
        Assert.NotEqual(Dim.Symbol("height + 1"), Height + 1);
    }

    [Fact]
    public void MayEqual_DifferentNumbers_IsFalse()
    {
        Assert.True(Height.MayEqual(4));
        Assert.False(Dim.FromInt32(3).MayEqual(4));
    }

    [Fact]
    public void Sizes_SameContent_AreEqual()
    {
        Assert.Equal(new Sizes(("a", 1), ("b", 2)), new Sizes(("b", 2), ("a", 1)));
        Assert.NotEqual(new Sizes(("a", 1)), new Sizes(("a", 2)));
        Assert.Throws<ShapeException>(() => new Sizes(("a", 0)));
    }
}
