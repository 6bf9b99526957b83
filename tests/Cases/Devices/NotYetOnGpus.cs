namespace ILGpuDiffusion.Cases;

/// <summary>The ops that have no GPU kernel yet. The list only shrinks: an op that has one must leave it, and a test says so.</summary>
public static class NotYetOnGpus
{
    /// <summary>The ops' record types.</summary>
    public static IReadOnlyList<Type> Ops { get; } =
    [
    ];
}
