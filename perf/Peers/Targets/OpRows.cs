using System.Globalization;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>The table's rows on single ops.</summary>
internal sealed class OpRows(CpuDevice device, bool reduced, int? rounds)
{
    private const double MostConvolutionError = 1e-5;
    private static readonly (string Op, string Text)[] NormKinds = [(nameof(GroupNormalization), "GroupNorm+SiLU"),
        (nameof(LayerNormalization), "LayerNorm"), (nameof(GeGlu), "GEGLU")];
    private static readonly (string Name, string Text)[] Storages = [("packed", "weights packed"), ("float32", "float32 weights"),
        ("bfloat16", "bfloat16 weights")];
    private readonly OpComparison comparison = new(device, rounds ?? (reduced ? 3 : 5));

    public Measured MatMul()
    {
        var results = Run("matmul");
        return new([.. Storages.SelectMany(way => Pair(way.Text, Mean(results, way.Name)))])
        { Ops = results, Notes = [.. Slowest(results),
            "The weights of small models are packed once, those of large models in every run, block by block."] };

        static Check[] Pair(string text, Ratio mean) =>
            [Check.Of($"{text}, geometric mean", "libtorch", mean, 1.05, 1.15), Least($"{text}, least", mean, 0.95)];
    }

    public Measured Convolution()
    {
        var results = Run("conv3x3");
        return new(
            Check.Of("float32 weights, geometric mean", "libtorch", Mean(results, "float32"), 2.5, 3.3),
            Check.Of("bfloat16 weights, geometric mean", "libtorch", Mean(results, "bfloat16"), 2.5, 3.3),
            new Check("greatest relative rms error", null, results.Max(r => r.Error), "", MostConvolutionError, MostConvolutionError,
                AtMost: true))
        { Ops = results, Notes = Slowest(results) };
    }

    public Measured OtherConvolution()
    {
        var results = Run("conv-other");
        return new(Check.Of("bfloat16 weights, geometric mean", "libtorch", Mean(results, "bfloat16"), 1, 1.2)) { Ops = results,
            Notes = Slowest(results) };
    }

    public Measured Attention()
    {
        OpResult[] self = Run("attention-self"), cross = Run("attention-cross");
        return new(
            Check.Of("self-attention, geometric mean", "libtorch", Mean(self, ""), 1, 1.2),
            Check.Of("77 keys, geometric mean", "libtorch", Mean(cross, ""), 1.1, 1.5))
        { Ops = [.. self, .. cross], Notes = Slowest([.. self, .. cross]) };
    }

    public Measured Norms()
    {
        var results = Run("norms");
        return new([.. NormKinds.Select(kind => (kind.Text, Results: results.Where(r => r.Op == kind.Op).ToArray()))
            .Where(k => k.Results.Length > 0)
            .Select(kind => Check.Of($"{kind.Text}, geometric mean", "libtorch", Mean(kind.Results, ""), 1.5, 3))])
        { Ops = results, Notes = [.. Slowest(results),
            "Single ops, as layers record them. In whole models GEGLU is fused with its GEMM and SiLU with its norm."] };
    }

    public Measured Int8()
    {
        var results = Run("int8");
        Ratio Against(string peer) => Ratio.Mean([.. results.Where(r => r.Peer == peer).Select(r => r.Ratio)]);
        var (floor, goal) = ModelRows.Int8Bounds(device, (1.5, 1.8), (1.9, 2.2));
        return new(
            Check.Of("8-bit weights and activations, geometric mean", "libtorch float32", Against("libtorch float32"), floor, goal),
            Check.Of("the same", "libtorch int8 (FBGEMM)", Against("libtorch int8"), null, 1.1))
        { Ops = results, Notes = [.. Slowest(results),
            "The time includes quantising the activations. The error is that of 8-bit activations against float32 with the same "
            + "weights."] };
    }

    private OpResult[] Run(string group)
    {
        const int Few = 2;
        HashSet<string>? few = reduced
            ? [.. ModelCases.Groups[group].OrderBy(c => ModelCases.Of(c.Op, c.Sizes, DType.Float32).Inputs.Sum(i => i.Shape.Count))
                .Take(Few).Select(c => c.Sizes)] : null;
        return [.. comparison.Measure(group, name => few?.Contains(name) != false)];
    }

    private static Ratio Mean(OpResult[] results, string way) => Ratio.Mean([.. results.Where(r => r.Way == way).Select(r => r.Ratio)]);

    private static Check Least(string what, Ratio mean, double floor) =>
        new(what, "libtorch", mean.Low, "×", floor, floor, Spread: mean with { Low = mean.Low, High = mean.Low });

    private static string[] Slowest(OpResult[] results)
    {
        const int Shown = 3;
        var worst = results.OrderBy(r => r.Ratio.Median).Take(Shown)
            .Select(r => string.Create(CultureInfo.InvariantCulture,
                $"{(r.Op == results[0].Op ? "" : r.Op + " ")}{r.Case}{(r.Way.Length > 0 ? " " + r.Way : "")} {r.Ratio.Median:F2}× "
                    + $"({r.Gflops:F0} of {r.PeerGflops:F0} GFLOP/s)"));
        return ["Least: " + string.Join("; ", worst) + "."];
    }
}
