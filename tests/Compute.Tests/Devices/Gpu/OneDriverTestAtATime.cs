namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Tests that count what a driver has, or make it fail, do not run beside each other: they share its memory.</summary>
[CollectionDefinition(nameof(OneDriverTestAtATime))]
public sealed class OneDriverTestAtATime;
