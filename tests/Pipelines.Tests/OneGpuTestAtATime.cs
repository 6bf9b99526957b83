namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Tests on GPUs share the devices and their counters, such as that of host synchronisations, so they do not run in parallel.
/// </summary>
[CollectionDefinition(nameof(OneGpuTestAtATime))]
public sealed class OneGpuTestAtATime;
