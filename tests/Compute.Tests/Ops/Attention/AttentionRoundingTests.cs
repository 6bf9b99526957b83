using System.Globalization;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// What rounding the softmax weights to 16 bits costs on tensor cores, beside exact weights, beside the same rounding in otherwise exact
/// arithmetic, which is what PyTorch's flash attention does, and beside the rounding of the result alone.
/// </summary>
public sealed class AttentionRoundingTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float16)]
    public void Error_OfEitherForm_IsThatOfItsRoundingsAlone(DType dtype)
    {
        var cases = OpCatalog.Cases.Single(c => c.Op == typeof(ScaledDotProductAttention));
        var @case = cases.Cases.Single(c => c.Name == "SDXL, part of 16 by 16").With(dtype)!;
        ReferenceTensor[] inputs = [.. @case.Inputs.Select(i => i.Reference())];
        var op = (ScaledDotProductAttention)@case.Op;
        var shape = op.Infer([.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))]).Concrete();
        double[] exact = cases.Reference(op, inputs, shape), rounded = [.. exact.Select(v => SixteenBit.Rounded(dtype, v))],
            flash = WithRoundedWeights(inputs, op.Heads, dtype);
        using var device = SoftLanes.Open(new Translator());
        double result = Error(rounded, exact), precise = Error(Run(device, @case, precise: true), exact),
            one = Error(Run(device, @case, precise: false), exact), torch = Error(flash, exact);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{dtype}: rms error relative to the result's rms: rounding of the result {result:E2}, exact weights {precise:E2}, weights in "
                + $"one part {one:E2}, flash attention in exact arithmetic {torch:E2}"));
        Assert.InRange(precise, 0.98 * result, 1.02 * result);
        Assert.InRange(one, 0.9 * torch, 1.1 * torch);
        Assert.True(one > 1.1 * precise, "Both forms have the same error.");
    }

    private static double[] Run(Device device, OpCase @case, bool precise)
    {
        var op = (ScaledDotProductAttention)@case.Op with { Options = new(Precise: precise) };
        using var bound = new BoundCase(device, @case with { Op = op }, outputPadding: 0, variant: "cuda/tensor-cores");
        bound.Run();
        return bound.Read();
    }

    private static double Error(double[] actual, double[] exact) =>
        Math.Sqrt(actual.Zip(exact, (a, e) => (a - e) * (a - e)).Sum() / exact.Sum(e => e * e));

    // Weights exp(logit − maximum) are rounded for the product with the values; their sum is of those not rounded.
    private static double[] WithRoundedWeights(ReferenceTensor[] inputs, int heads, DType dtype)
    {
        var (q, k, v) = (inputs[0], inputs[1], inputs[2]);
        int depth = q.Width / heads;
        double[] y = new double[q.Rows * q.Width];
        for (int h = 0; h < heads; h++)
        {
            for (int i = 0; i < q.Rows; i++)
            {
                double[] logits = [.. Enumerable.Range(0, k.Rows).Select(j =>
                    Dot(q.Row(i).Slice(h * depth, depth), k.Row(j).Slice(h * depth, depth)) / Math.Sqrt(depth))];
                double most = logits.Max();
                double[] weights = [.. logits.Select(logit => Math.Exp(logit - most))];
                for (int c = 0; c < depth; c++)
                {
                    double sum = 0;
                    for (int j = 0; j < k.Rows; j++) sum += SixteenBit.Rounded(dtype, weights[j]) * v.Row(j)[h * depth + c];
                    y[i * q.Width + h * depth + c] = SixteenBit.Rounded(dtype, sum / weights.Sum());
                }
            }
        }

        return y;
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }
}
