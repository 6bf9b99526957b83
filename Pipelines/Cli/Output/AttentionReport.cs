using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>The chosen implementations of attention in <c>--json</c> and text output.</summary>
internal static class AttentionReport
{
    /// <summary>A backend's word on the command line.</summary>
    public static string WordOf(AttentionBackend backend) => backend switch
    {
        AttentionBackend.Auto => "auto",
        AttentionBackend.Flash => "flash",
        AttentionBackend.MemoryEfficient => "memory-efficient",
        _ => "math",
    };

    public static object Of(AttentionChoice choice) => new
    {
        backend = WordOf(choice.Backend),
        kernel = choice.Kernel,
        reason = choice.Reason,
    };

    /// <summary><c>attention: flash (cpu/simd): the fastest that the device supports; …</c></summary>
    public static string Line(AttentionChoice choice) =>
        $"attention: {WordOf(choice.Backend)} ({choice.Kernel}): {choice.Reason}";
}
