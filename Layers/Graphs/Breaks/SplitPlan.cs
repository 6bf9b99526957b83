using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// The plan of a split graph: plans of its parts, run one after the other. Values between parts, and the values read, go through host
/// memory: correct on every device, but each read waits for the device.
/// </summary>
internal sealed class SplitPlan : Plan
{
    private readonly SplitGraph split;
    private readonly Device device;
    private readonly Sizes sizes;
    private readonly string[] keep;
    private readonly Dictionary<string, (DeviceBuffer Buffer, Tensor Tensor)> inputs = [];
    private readonly Dictionary<string, byte[]> handedOn = [];
    private List<(CompiledGraph Graph, Plan Plan)> way = []; // of the last run
    private bool returned;

    public SplitPlan(SplitGraph split, Device device, Sizes sizes, IReadOnlyCollection<string> keep)
    {
        (this.split, this.device, this.sizes, this.keep) = (split, device, sizes, [.. keep]);
        try
        {
            foreach (var (name, input) in split.Source.Inputs)
            {
                var type = input.Type.Resolve(sizes);
                var buffer = device.Allocate(type.Bytes);
                inputs.Add(name, (buffer, new Tensor(buffer, 0, type.DType, type.Concrete())));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override long ArenaBytes => way.Sum(part => part.Plan.ArenaBytes);

    /// <inheritdoc/>
    public override long PeakLiveBytes => way.Sum(part => part.Plan.PeakLiveBytes);

    /// <inheritdoc/>
    public override int LaunchCount => way.Sum(part => part.Plan.LaunchCount);

    /// <inheritdoc/>
    public override int LoopInvariantLaunchCount => way.Sum(part => part.Plan.LoopInvariantLaunchCount);

    /// <inheritdoc/>
    public override Tensor Input(string name) => inputs.TryGetValue(name, out var input) ? input.Tensor
        : throw new ArgumentException($"{split.Source.Name} has no input '{name}'; there are {string.Join(", ", inputs.Keys)}.");

    /// <summary>Memory of an output; valid from a run until the next one.</summary>
    public override Tensor Output(string name) => way.Count > 0 ? way[^1].Plan.Output(name)
        : throw new InvalidOperationException(
            $"{split.Source.Name} is split where values are read: its outputs are known only after a run.");

    /// <inheritdoc/>
    public override Tensor Named(string path) => way.FirstOrDefault(part => part.Graph.Graph.Named.ContainsKey(path)).Plan?.Named(path)
        ?? throw new ArgumentException($"{split.Source.Name}: no layer called '{path}' was run.");

    /// <inheritdoc/>
    public override void Run(CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(returned, this);
        while (!TryRun(cancellation)) { } // a new part needed more values than earlier parts passed on; they have been recompiled
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (returned) return;
        returned = true;
        foreach (var (_, plan) in way) plan.Dispose();
        foreach (var (buffer, _) in inputs.Values) buffer.Dispose();
    }

    private bool TryRun(CancellationToken cancellation)
    {
        var known = way;
        way = [];
        handedOn.Clear();
        try
        {
            var answers = new List<double>();
            for (var part = split.First; ; part = split.Next(answers, part))
            {
                var form = part.Current;
                if (!form.Slice.Needed.All(index => handedOn.ContainsKey(GraphSlice.Name(index)))) return false;
                var plan = Rent(form, known, cancellation);
                foreach (string name in form.Slice.Graph.Inputs.Keys)
                    device.Upload(inputs.TryGetValue(name, out var given) ? Read(given.Tensor) : handedOn[name], plan.Input(name));
                plan.Run(cancellation);
                foreach (int index in form.HandedOn) handedOn[GraphSlice.Name(index)] = Read(plan.Output(GraphSlice.Name(index)));
                if (part.Break is not { } at) return true;
                answers.Add(at.Decide(Number(plan.Output(GraphSlice.Read))));
            }
        }
        finally
        {
            foreach (var (_, plan) in known) plan.Dispose();
        }
    }

    /// <summary>The last run's plan of this part, if the same parts were run before it.</summary>
    private Plan Rent(SplitPart.Branch form, List<(CompiledGraph Graph, Plan Plan)> known, CancellationToken cancellation)
    {
        int found = known.FindIndex(k => k.Graph == form.Compiled);
        var plan = found >= 0 ? known[found].Plan
            : form.Compiled.Rent(sizes, [.. keep.Where(form.Slice.Graph.Named.ContainsKey)], cancellation);
        if (found >= 0) known.RemoveAt(found);
        way.Add((form.Compiled, plan));
        return plan;
    }

    private byte[] Read(Tensor tensor)
    {
        var bytes = new byte[tensor.Shape.Count * tensor.DType.Size()];
        device.Download(tensor, bytes);
        return bytes;
    }

    private double Number(Tensor tensor) => tensor.DType switch
    {
        DType.Int32 => MemoryMarshal.Read<int>(Read(tensor)),
        DType.Int64 => MemoryMarshal.Read<long>(Read(tensor)),
        DType.Int8 => (sbyte)Read(tensor)[0],
        _ => MemoryMarshal.Read<float>(Read(tensor)),
    };
}
