using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Families;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>The types that components compute in, in JSON output.</summary>
internal static class PrecisionReport
{
    public static IEnumerable<object> Of(IEnumerable<ComponentPrecision> precisions) => precisions.Select(p => new
    {
        component = p.Component,
        dtype = p.DType.ToString(),
        float32_precision = p.DType == DType.Float32 ? p.Float32Precision.ToString() : null,
        stored = p.Stored.Select(type => type.ToString()),
        reason = p.Reason,
    });
}
