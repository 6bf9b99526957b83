using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Activations, gated units and softmax against PyTorch's.</summary>
[OperatorGoldens("activations", "geglu", "softmax")]
public sealed class ActivationGoldenTests
{
    [Theory]
    [InlineData("gelu_erf", UnaryFunction.Gelu)]
    [InlineData("gelu_tanh", UnaryFunction.GeluTanh)]
    [InlineData("quick_gelu", UnaryFunction.QuickGelu)]
    [InlineData("silu", UnaryFunction.Silu)]
    [InlineData("sigmoid", UnaryFunction.Sigmoid)]
    [InlineData("tanh", UnaryFunction.Tanh)]
    [InlineData("relu", UnaryFunction.Relu)]
    [InlineData("mish", UnaryFunction.Mish)]
    [InlineData("softplus", UnaryFunction.Softplus)]
    public void Activation_OfRecordedInput_MatchesPyTorch(string name, UnaryFunction function)
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)["activations"];
        recorded.CheckNoise(name, OpRunner.Run(new Unary(function), recorded.InputTensor("x")).Floats());
    }

    [Fact]
    public void Golden_OfActivations_RecordsEveryFunction()
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)["activations"];
        // the exponential is no activation
        Assert.Equal(Enum.GetValues<UnaryFunction>().Except([UnaryFunction.Exp]).Count(), recorded.Outputs.Count);
    }

    [Fact]
    public void GatedUnits_OfRecordedInput_MatchDiffusers()
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)["geglu"];
        CaseTensor x = recorded.InputTensor("x"), weight = recorded.InputTensor("weight");
        var linear = OpRunner.Run(new MatMul(), x, weight, recorded.InputTensor("bias"));
        recorded.CheckNoise("linear", linear.Floats());
        recorded.CheckNoise("linear_no_bias", OpRunner.Run(new MatMul(), x, weight).Floats());
        recorded.CheckNoise("geglu", OpRunner.Run(new GeGlu(), linear).Floats());
        int half = linear.Shape.Last / 2;
        var gate = OpRunner.Run(new Unary(UnaryFunction.Silu), OpRunner.Run(new Slice(-1, half, half), linear));
        recorded.CheckNoise("swiglu",
            OpRunner.Run(new Binary(BinaryFunction.Multiply), OpRunner.Run(new Slice(-1, 0, half), linear), gate).Floats());
    }

    [Fact]
    public void Softmax_OfRecordedInput_MatchesPyTorch()
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)["softmax"];
        var x = recorded.InputTensor("x");
        recorded.CheckNoise("last_dim", OpRunner.Run(new Softmax(), x).Floats());
        recorded.CheckNoise("plus1000", OpRunner.Run(new Softmax(), OpRunner.Run(new Affine(1, 1000), x)).Floats());
        recorded.CheckNoise("log_softmax", OpRunner.Run(new Softmax(Logarithm: true), x).Floats());
    }
}
