using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// The implementation of attention that a caller chose for a scope. It flows with async calls and to threads started within. It is part of
/// a plan's key: a scope selects another plan of the same compiled graph.
/// </summary>
internal static class AttentionScope
{
    private static readonly AsyncLocal<AttentionOptions?> Chosen = new();

    /// <summary>The innermost scope's choice; null outside of any.</summary>
    public static AttentionOptions? Current => Chosen.Value;

    /// <summary>Begins a scope, which ends when the result is disposed.</summary>
    public static IDisposable Enter(AttentionOptions options)
    {
        var end = new End(Chosen.Value);
        Chosen.Value = options;
        return end;
    }

    private sealed class End(AttentionOptions? outer) : IDisposable
    {
        private bool disposed;

        public void Dispose()
        {
            if (disposed) return;
            disposed = true;
            Chosen.Value = outer;
        }
    }
}
