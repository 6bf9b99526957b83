using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Dynamic int8 linear layers against the recorded definition: equal integers, floats equal up to rounding.</summary>
[OperatorGoldens("int8_dynamic_linear_")]
public sealed class QuantizedMatMulGoldenTests
{
    private const double Exact = 0;
    private const double ThreeRoundings = 5e-7; // two products and a sum in float32, on both sides

    public static TheoryData<string> Ids => OperatorGoldensAttribute.Ids<QuantizedMatMulGoldenTests>();

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Ids))]
    public void Quantize_RecordedCase_GivesSameIntegersAndScales(string id)
    {
        GoldenCase golden = Golden.Open(OperatorGoldensAttribute.Set)[id];
        foreach (var (input, integers, scale) in new[] { ("x", "x_q", "x_scale"), ("weight", "w_q", "w_scale") })
        {
            Assert.Equal(golden.OutputLongs(integers), GoldenArguments.Run(new Quantize(), golden.InputTensor(input)).Select(v => (long)v));
            golden.Check(scale, GoldenArguments.Run(new QuantizeScale(), golden.InputTensor(input)), Exact);
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Ids))]
    public void QuantizedMatMul_RecordedCase_MatchesAccumulatorsAndResult(string id)
    {
        GoldenCase golden = Golden.Open(OperatorGoldensAttribute.Set)[id];
        CaseTensor x = golden.InputTensor("x"), bias = golden.InputTensor("bias");
        long[] integers = golden.OutputLongs("w_q");
        var w = new CaseTensor(golden.OutputShape("w_q"), i => integers[i], DType.Int8);
        float[] scale = golden.Output("w_scale");
        golden.Check("y", GoldenArguments.Run(new QuantizedMatMul(), x, w, GoldenArguments.Of([scale.Length], scale), bias),
            ThreeRoundings);

        // With weight scales of 1 and no bias the result is accumulator · row scale: exact where the accumulator is below 2²⁴.
        float[] scaled = GoldenArguments.Run(new QuantizedMatMul(), x, w, new CaseTensor([scale.Length], _ => 1)),
            rowScale = golden.Output("x_scale");
        long[] sums = golden.OutputLongs("acc");
        Assert.Equal(sums.Select((sum, i) => sum * rowScale[i / scale.Length]), scaled);
    }
}
