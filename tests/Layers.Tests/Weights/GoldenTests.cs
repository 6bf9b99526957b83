using ILGpuDiffusion.Cases;
using Xunit.Sdk;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>The reader of reference data reads what the json describes, and comparisons can fail.</summary>
public sealed class GoldenTests
{
    [Theory]
    [InlineData("ops/operators")]
    [InlineData("schedulers/scheduler_traces")]
    [InlineData("tiny-sdxl-goldens/unet")]
    public void Open_EveryTensor_HasTheAnnouncedShapeAndRms(string set)
    {
        var golden = Golden.Open(set);
        Assert.NotEmpty(golden.Cases);
        foreach (var run in golden.Cases)
            foreach (var tensor in run.Inputs.Values.Concat(run.Outputs.Values))
            {
                var entry = golden.File.Entry(tensor.Key);
                Assert.Equal(tensor.Shape, entry.Shape);
                if (tensor is { DType: "float32", Rms: { } rms })
                    Assert.Equal(rms, Close.Rms(golden.File.ReadFloats(tensor.Key)), rms * 1e-5 + 1e-9);
            }
    }

    [Fact]
    public void Check_ChangedValues_FailsAndTheGoldenItselfPasses()
    {
        var run = Golden.Open("tiny-sdxl-goldens/unet").Cases[0];
        float[] sample = run.Output("sample");
        Assert.Equal(0, run.Check("sample", sample, 0));
        sample[5] += 0.01f;
        Assert.Contains("Worst at [5]", Assert.Throws<FailException>(() => run.Check("sample", sample, 1e-3)).Message,
            StringComparison.Ordinal);
        sample[5] = float.NaN;
        Assert.Throws<FailException>(() => run.Check("sample", sample, 1e30));
        Assert.Throws<FailException>(() => run.Check("sample", sample.AsSpan(1), 1));
    }

    [Fact]
    public void Open_AbsentSet_SkipsOrFails()
    {
        // Which of the two depends on ILGPUDIFFUSION_REQUIRE; both name the set, and neither passes. (Record.Exception lets a skip
        // through.)
        Exception? thrown = null;
        try
        {
            Golden.Open("no-such/set");
        }
        catch (Exception e) when (e is SkipException or FailException)
        {
            thrown = e;
        }

        Assert.NotNull(thrown);
        Assert.Contains("no-such/set.json", thrown.Message, StringComparison.Ordinal);
    }
}
