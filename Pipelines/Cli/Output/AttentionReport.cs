using ILGpuDiffusion.Cli.Commands;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>The chosen implementations of attention in <c>--json</c> and text output.</summary>
internal static class AttentionReport
{
    public static object Of(AttentionChoice choice) => new
    {
        backend = AttentionArguments.WordOf(choice.Backend),
        kernel = choice.Kernel,
        reason = choice.Reason,
    };

    /// <summary><c>attention: flash (cpu/simd): the fastest that the device supports; …</c></summary>
    public static string Line(AttentionChoice choice) =>
        $"attention: {AttentionArguments.WordOf(choice.Backend)} ({choice.Kernel}): {choice.Reason}";
}
