using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Conv2D against PyTorch's.</summary>
[OperatorGoldens("conv2d_")]
public sealed class Conv2DGoldenTests
{
    private const double TwoSummations = 4e-6; // both sides sum up to 576 products in float32; the file records 1e-6 for PyTorch's alone

    public static TheoryData<string> Ids => OperatorGoldensAttribute.Ids<Conv2DGoldenTests>();

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Ids))]
    public void Conv2D_RecordedCase_MatchesPyTorch(string id)
    {
        GoldenCase golden = Golden.Open(OperatorGoldensAttribute.Set)[id];
        bool padsAfterOnly = id == "conv2d_asymmetric_pad_right_bottom_s2";
        int padding = padsAfterOnly ? 0 : golden.Params.GetProperty("padding").GetInt32();
        var op = padsAfterOnly ? new Conv2D(2, 0, 1) : new Conv2D(golden.Params.GetProperty("stride").GetInt32(), padding, padding);
        CaseTensor x = golden.ChannelsLast("x"), w = golden.InputTensor("weight");
        foreach (var (name, result) in golden.Outputs)
        {
            float[] y = name == "y_no_bias" ? GoldenArguments.Run(op, x, w) : GoldenArguments.Run(op, x, w, golden.InputTensor("bias"));
            Shape nchw = result.Shape;
            golden.Check(name, GoldenArguments.Permute(y, [nchw[0], nchw[2], nchw[3], nchw[1]], 0, 3, 1, 2), TwoSummations);
        }
    }
}
