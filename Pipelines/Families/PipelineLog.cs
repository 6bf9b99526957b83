using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>What putting a pipeline together logs: events 3200 to 3299.</summary>
internal static partial class PipelineLog
{
    [LoggerMessage(3200, LogLevel.Warning,
        "{Folder}: the variant {Variant} is there for {Having}; {Others} have none, and their plain files are used.")]
    public static partial void VariantIncomplete(ILogger logger, LogText folder, LogText variant, LogText having, LogText others);

    [LoggerMessage(3201, LogLevel.Warning, "The compiled kernels that come with the model are not used: {Problem}")]
    public static partial void OwnPackNotUsed(ILogger logger, LogText problem);

    [LoggerMessage(3202, LogLevel.Debug, "{Model} computes in: {Types}.")]
    public static partial void Precisions(ILogger logger, LogText model, LogText types);
}
