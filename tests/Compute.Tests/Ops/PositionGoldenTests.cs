using System.Globalization;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Embeddings of times and positions against diffusers'.</summary>
[OperatorGoldens("timestep_embedding", "sincos_2d_pos_embed", "flux_rope")]
public sealed partial class PositionGoldenTests
{
    private const double Float32Angles = 1e-4; // an angle of 1000 is known to 6e-5; rms 0.7
    private const double Rounding = 1.2e-7; // both sides round a float64 value
    private const double RotationRounding = 3e-7; // two products and a sum of float32

    public static TheoryData<string> Embeddings =>
        [.. GoldenFolders.Find(OperatorGoldensAttribute.Set + ".json") is null ? []
            : Golden.Open(OperatorGoldensAttribute.Set)["timestep_embedding"].Outputs.Keys];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Embeddings))]
    public void TimestepEmbedding_OfRecordedTimes_MatchesDiffusers(string name)
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)["timestep_embedding"];
        // dim320_flip1_shift0_scale1000
        int[] numbers = [.. Numbers().Matches(name).Select(m => int.Parse(m.Value, CultureInfo.InvariantCulture))];
        var op = new SinusoidalEmbedding(numbers[0], numbers[1] == 1, numbers[2], numbers.Length > 3 ? numbers[3] : 1);
        // Recorded times were divided by the scale, as in Flux: the values are those of scale 1 up to rounding.
        float[] t = [.. recorded.Input("t").Select(v => v / (float)op.Scale)];
        recorded.Check(name, OpRunner.Run(op, new CaseTensor([t.Length, 1], i => t[i])).Floats(), Float32Angles);
    }

    [Fact]
    public void SinCosPositionTable_OfRecordedGrid_MatchesDiffusers()
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)["sincos_2d_pos_embed_32_6x4"];
        int[] grid = [.. recorded.Params.GetProperty("grid").EnumerateArray().Select(v => v.GetInt32())];
        float[] table = SinCosPositionTable.Create(recorded.Params.GetProperty("embed_dim").GetInt32(), grid[0], grid[1],
            recorded.Params.GetProperty("base_size").GetInt32());
        recorded.Check("y", table, Rounding);
    }

    [Fact]
    public void RotaryEmbedding_OfRecordedPositions_MatchesFlux()
    {
        var recorded = Golden.Open(OperatorGoldensAttribute.Set)["flux_rope"];
        int[] axes = [.. recorded.Params.GetProperty("axes_dim").EnumerateArray().Select(v => v.GetInt32())];
        var (cos, sin) = RotaryTable.Create(recorded.Input("ids"), axes, recorded.Params.GetProperty("theta").GetDouble());
        recorded.Check("cos", cos, Rounding);
        recorded.Check("sin", sin, Rounding);

        // Recorded as [1, heads, tokens, width]; here heads are adjacent within a token.
        var shape = recorded.InputShape("x");
        var (heads, tokens, width) = (shape[1], shape[2], shape[3]);
        float[] values = recorded.Input("x");
        var x = new CaseTensor([1, tokens, heads * width],
            i => values[(i / width % heads * tokens + i / width / heads) * width + i % width]);
        Shape table = [tokens, width];
        float[] rotated = OpRunner.Run(new RotaryEmbedding(heads), x, new CaseTensor(table, i => cos[i]),
            new CaseTensor(table, i => sin[i])).Floats();
        float[] expected = recorded.Output("rotated");
        float[] actual = [.. Enumerable.Range(0, rotated.Length)
            .Select(i => rotated[(i / width % tokens * heads + i / width / tokens) * width + i % width])];
        Close.Check("rotated", actual, expected, RotationRounding);
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();
}
