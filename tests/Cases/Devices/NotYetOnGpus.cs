namespace ILGpuDiffusion.Cases;

/// <summary>The ops without GPU kernels. A test fails if the list has an op with GPU kernels.</summary>
public static class NotYetOnGpus
{
    /// <summary>The ops' record types.</summary>
    public static IReadOnlyList<Type> Ops { get; } =
    [
    ];
}
