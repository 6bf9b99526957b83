using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The contiguous runs of each entry of the outermost dimension, for several tensors of one shape.</summary>
internal sealed unsafe class EntryRuns
{
    private readonly Tensor[][] entries; // by tensor, by entry
    private readonly Runs runs;

    public EntryRuns(params Tensor[] tensors)
    {
        Entries = tensors[0].Shape[0];
        entries = [.. tensors.Select(t => Enumerable.Range(0, Entries).Select(i => t.Slice(i, 1)).ToArray())];
        Elements = Entries == 0 ? 0 : tensors[0].Shape.Count / Entries;
        if (Entries > 0) runs = new Runs([.. entries.Select(e => e[0])]);
    }

    /// <summary>Size of the outermost dimension.</summary>
    public int Entries { get; }

    /// <summary>Elements of one entry.</summary>
    public long Elements { get; }

    /// <summary>Runs of one entry.</summary>
    public int Count => runs.Count;

    /// <summary>Elements of a run.</summary>
    public int LengthOf(int run) => runs.LengthOf(run);

    /// <summary>Start of a run in an entry of one of the tensors.</summary>
    public float* Of(int tensor, int entry, int run) => runs.Of<float>(entries[tensor][entry], run);
}
