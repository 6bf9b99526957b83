using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Normalisations against PyTorch's.</summary>
[OperatorGoldens("group_norm_", "layer_norm_", "rms_norm_")]
public sealed class NormGoldenTests
{
    public static TheoryData<string> Ids => OperatorGoldensAttribute.Ids<NormGoldenTests>();

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Ids))]
    public void Norm_OfRecordedInput_MatchesPyTorch(string id)
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)[id];
        double epsilon = recorded.Params.GetProperty("eps").GetDouble();
        if (id.StartsWith("group", StringComparison.Ordinal)) Group(recorded, epsilon);
        else if (id.StartsWith("layer", StringComparison.Ordinal)) Layer(recorded, epsilon);
        else recorded.CheckNoise("y",
            OpRunner.Run(new RmsNormalization(epsilon), recorded.InputTensor("x"), recorded.InputTensor("weight")).Floats());
    }

    private static void Group(GoldenCase recorded, double epsilon)
    {
        int groups = recorded.Params.GetProperty("groups").GetInt32();
        CaseTensor[] inputs = [recorded.InputImage("x"), recorded.InputTensor("weight"), recorded.InputTensor("bias")];
        recorded.CheckNoise("y", OpRunner.Run(new GroupNormalization(groups, epsilon), inputs).Planes());
        if (recorded.Outputs.ContainsKey("y_silu"))
            recorded.CheckNoise("y_silu", OpRunner.Run(new GroupNormalization(groups, epsilon, Silu: true), inputs).Planes());
    }

    private static void Layer(GoldenCase recorded, double epsilon)
    {
        var x = recorded.InputTensor("x");
        recorded.CheckNoise("y", OpRunner.Run(new LayerNormalization(epsilon), x, recorded.InputTensor("weight"),
            recorded.InputTensor("bias")).Floats());
        recorded.CheckNoise("y_no_affine", OpRunner.Run(new LayerNormalization(epsilon), x).Floats());
    }
}
