using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Benchmarks;

/// <summary>A value computed from the median time, the op's definition and the machine's measured ceilings.</summary>
/// <param name="name">The column's heading.</param>
/// <param name="legend">What it means.</param>
/// <param name="score">Computes the value from operations, bytes (every argument and the result, each once) and seconds.</param>
internal sealed class ScoreColumn(string name, string legend, Func<double, double, double, string> score) : IColumn
{
    public string Id => name;

    public string ColumnName => name;

    public string Legend => legend;

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    /// <summary>Speed, traffic and the share of the roofline.</summary>
    public static IColumn[] Of(DeviceCeilings ceilings) =>
    [
        new ScoreColumn("GFLOP/s", "by the op's definition: an algorithm that needs fewer counts as faster",
            (flops, _, s) => Number(flops / s / 1e9)),
        new ScoreColumn("GB/s", "arguments and result, each once", (_, bytes, s) => Number(bytes / s / 1e9)),
        new ScoreColumn("% ceiling",
            $"of {Number(ceilings.FlopsPerSecond / 1e9)} GFLOP/s or {Number(ceilings.BytesPerSecond / 1e9)} GB/s, whichever limits",
                (flops, bytes, s) => Number(100 * ceilings.Seconds(flops, bytes) / s)),
    ];

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        if (summary[benchmarkCase]?.ResultStatistics is not { } statistics) return "-";
        var @case = OpBenchmarks.Chosen[(string)benchmarkCase.Parameters[nameof(OpBenchmarks.Case)]];
        TensorType[] types = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        var signature = new OpSignature(@case.Op, types, @case.Op.Infer(types));
        return score(@case.Op.Flops(signature), types.Append(signature.Output).Sum(t => t.Bytes), statistics.Median / 1e9);
    }

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public bool IsAvailable(Summary summary) => true;

    private static string Number(double value) => value.ToString("F0", CultureInfo.InvariantCulture);
}
