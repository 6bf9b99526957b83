using System.Globalization;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>One step of a plan.</summary>
/// <param name="Op">The op's name, with the ops fused into it: <c>conv2d+residual</c>.</param>
/// <param name="Variant">The chosen kernel variant.</param>
/// <param name="Output">Element type and sizes of its result.</param>
/// <param name="Bytes">Least memory traffic: arguments and result, each once.</param>
/// <param name="Flops">Floating-point operations.</param>
/// <param name="Layer">The layer that recorded it.</param>
public sealed record PlanReportStep(string Op, string Variant, string Output, long Bytes, double Flops, string Layer)
{
    /// <summary>The op's name without what was fused into it: <c>conv2d</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>The kind that profiles count it to.</summary>
    public OpKind Kind { get; init; }

    /// <summary>Its place among all ops of the graph, those with nothing left to do included.</summary>
    public int Index { get; init; }

    /// <summary>The kernel's settings that differ from its defaults.</summary>
    public string Settings { get; init; } = "";

    /// <summary>The implementation of attention and why it was chosen; null for other ops.</summary>
    public AttentionChoice? Attention { get; init; }

    /// <summary>Scratch memory of the kernel, in bytes.</summary>
    public long ScratchBytes { get; init; }

    /// <summary>The weights' part of <see cref="Bytes"/>.</summary>
    public long WeightBytes { get; init; }

    /// <summary>Floating-point operations that the kernel executes: fewer than <see cref="Flops"/> for Winograd convolutions.</summary>
    public double Work { get; init; }

    /// <summary>Lower bound of the time at the device's ceilings, if predicted.</summary>
    public double? PredictedSeconds { get; init; }

    /// <summary>Median time, if measured.</summary>
    public double? MeasuredSeconds { get; init; }

    /// <summary>The time, if measured, else the prediction, else 0.</summary>
    public double Seconds => MeasuredSeconds ?? PredictedSeconds ?? 0;

    internal static PlanReportStep Of(PlanStep step, Device device)
    {
        var (signature, choice) = (step.Signature, step.Choice);
        double flops = signature.Op.Flops(signature);
        return new(step.Node.Label, choice.Variant.Name, signature.Output.ToString(),
            signature.Inputs.Append(signature.Output).Sum(t => t.Bytes), flops, step.Node.Path)
        {
            Name = signature.Op.Name,
            Kind = signature.Op.Kind,
            Index = step.Index,
            Settings = choice.Settings.ToString(),
            Attention = step.Attention(device),
            ScratchBytes = step.Scratch?.Bytes ?? 0,
            WeightBytes = step.Node.Inputs.Where(i => i.Parameter is not null).Sum(i => i.Parameter!.Type.Bytes),
            Work = flops * choice.Variant.WorkShare,
        };
    }

    /// <summary>The same step with the lower bound of its time at a device's ceilings.</summary>
    internal PlanReportStep Predict(DeviceCeilings ceilings) => this with { PredictedSeconds = ceilings.Seconds(Work, Bytes) };

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture,
            $"{Op,-28} {Variant,-16} {Output,-32} {Bytes / 1e6,9:F2} MB {Flops / 1e9,9:F3} GFLOP  "
                + $"{(Seconds > 0 ? $"{1e3 * Seconds,9:F3} ms  " : "")}{Layer}{(Settings.Length > 0 ? $"  [{Settings}]" : "")}");
}

/// <summary>A block of a plan's arena.</summary>
/// <param name="Name">Name of its contents: a layer's path, an input's name.</param>
/// <param name="Kind">The op that writes it, <c>input</c>, or <c>scratch</c>.</param>
/// <param name="Offset">Byte offset in the arena.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="First">First op that needs it; −1 for inputs.</param>
/// <param name="Last">Last op that needs it; at least <see cref="PlanReport.Length"/> for what outlives the run.</param>
public sealed record PlanReportBlock(string Name, string Kind, long Offset, long Bytes, int First, int Last)
{
    /// <summary>
    /// Whether its first op overwrites an argument whose last use that is: the only case in which two live blocks overlap.
    /// </summary>
    public bool IsOver { get; init; }

    /// <summary>The kind of the op that made it; null for inputs and scratch.</summary>
    public OpKind? Producer { get; init; }

    internal static IReadOnlyList<PlanReportBlock> Of(PlanLayout layout)
    {
        var names = layout.Graph.Inputs.ToDictionary(i => i.Value, i => i.Key);
        var values = layout.Placed.ToLookup(p => p.Block, p => p.Value);
        var scratch = layout.LoopInvariantSteps.Concat(layout.Steps).Where(s => s.Scratch is not null).ToDictionary(s => s.Scratch!);
        return [.. layout.Blocks.OrderBy(b => b.First).ThenBy(b => b.Offset).Select(block =>
        {
            var first = values[block].OrderBy(v => v.Index).FirstOrDefault(v => v.Producer is not null) ?? values[block].FirstOrDefault();
            var (name, kind, producer) = scratch.TryGetValue(block, out var step) ? (step.Node.Path, "scratch", (OpKind?)null)
                : first?.Producer is { } node ? (node.Path, node.Label, node.Op.Kind)
                : (first is null ? "" : names.GetValueOrDefault(first, ""), "input", null);
            return new PlanReportBlock(name, kind, block.Offset, block.Bytes, block.First, block.Last)
            {
                IsOver = block.IsOver,
                Producer = producer,
            };
        })];
    }
}
