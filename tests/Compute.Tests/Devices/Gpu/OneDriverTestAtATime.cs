namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Tests that count a driver's resources, or make it fail, do not run in parallel, because they share its memory.</summary>
[CollectionDefinition(nameof(OneDriverTestAtATime))]
public sealed class OneDriverTestAtATime;
