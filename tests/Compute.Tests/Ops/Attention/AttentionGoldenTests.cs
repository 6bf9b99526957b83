using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Attention against PyTorch's scaled_dot_product_attention.</summary>
[OperatorGoldens("attention_")]
public sealed class AttentionGoldenTests
{
    // of the result's rms, which averaging makes small; the file records up to 4e-6 for PyTorch alone
    private const double Float32 = 1e-5;
    private const double LargeLogits = 2e-5;  // logits 8 times as large are 8 times less certain; the file records up to 9e-6

    public static TheoryData<string> Ids => OperatorGoldensAttribute.Ids<AttentionGoldenTests>();

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Ids))]
    public void Attention_RecordedCase_MatchesPyTorch(string id)
    {
        GoldenCase golden = Golden.Open(OperatorGoldensAttribute.Set)[id];
        int heads = golden.InputShape("q")[1];
        CaseTensor q = golden.HeadsTogether("q"), k = golden.HeadsTogether("k"), v = golden.HeadsTogether("v");
        foreach (var (name, result) in golden.Outputs)
        {
            float[] y = name switch
            {
                "plain" => GoldenArguments.Run(new ScaledDotProductAttention(heads), q, k, v),
                "causal" => GoldenArguments.Run(new ScaledDotProductAttention(heads, Causal: true), q, k, v),
                "additive_mask" => GoldenArguments.Run(new ScaledDotProductAttention(heads), q, k, v, golden.InputTensor("mask")),
                "bool_mask" => GoldenArguments.Run(new ScaledDotProductAttention(heads), q, k, v, Additive(golden)),
                "sharp_x8" => GoldenArguments.Run(new ScaledDotProductAttention(heads), q with { Values = i => 8 * q.Values(i) }, k, v),
                _ => throw new InvalidOperationException($"{golden.Name}: the result '{name}' has no test."),
            };
            Shape s = result.Shape;
            golden.Check(name, GoldenArguments.Permute(y, [s[0], s[2], s[1], s[3]], 0, 2, 1, 3),
                name == "sharp_x8" ? LargeLogits : Float32);
        }
    }

    private static CaseTensor Additive(GoldenCase golden)
    {
        long[] seen = golden.InputLongs("bool_mask");
        return new(golden.InputShape("bool_mask"), i => seen[i] != 0 ? 0 : double.NegativeInfinity);
    }
}
