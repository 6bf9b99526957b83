using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>Notes for the user about a compilation; each is listed once.</summary>
internal sealed class CompileNotes
{
    private readonly Lock gate = new();
    private readonly List<string> lines = [];

    /// <summary>Starts with the options that have no effect on this device.</summary>
    public CompileNotes(CompileOptions options, Device device)
    {
        if (options.Mode != CompileMode.Default && !device.RecordsLaunches)
            Add($"{nameof(CompileOptions.Mode)} {options.Mode}: {device.Id} cannot record launches as a graph; they run one after the "
                + "other.");
        if (!options.ChannelsLast)
            Add($"{nameof(CompileOptions.ChannelsLast)} false has no effect: activations are channels-last on every device.");
        if (!options.ForceFuseIntMmWithMul)
            Add($"{nameof(CompileOptions.ForceFuseIntMmWithMul)} false has no effect: int8 GEMMs always scale their sums in the epilogue.");
        if (!options.UseMixedMm)
            Add($"{nameof(CompileOptions.UseMixedMm)} false has no effect: weights are always widened inside the GEMM.");
        if (options is { CoordinateDescentCheckAllDirections: true, Tunes: false })
            Add($"{nameof(CompileOptions.CoordinateDescentCheckAllDirections)} has no effect without "
                + $"{nameof(CompileOptions.CoordinateDescentTuning)}.");
    }

    /// <summary>The notes in order.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (gate) return [.. lines];
        }
    }

    /// <summary>Adds a note, unless it is already listed.</summary>
    public void Add(string line)
    {
        lock (gate)
            if (!lines.Contains(line)) lines.Add(line);
    }
}
