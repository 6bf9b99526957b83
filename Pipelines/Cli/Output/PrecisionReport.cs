using ILGpuDiffusion.Pipelines.Families;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>The types that components compute in, in JSON output.</summary>
internal static class PrecisionReport
{
    public static IEnumerable<object> Of(IEnumerable<ComponentPrecision> precisions) => precisions.Select(p => new
    {
        component = p.Component,
        dtype = p.DType.ToString(),
        stored = p.Stored.Select(type => type.ToString()),
        reason = p.Reason,
    });
}
