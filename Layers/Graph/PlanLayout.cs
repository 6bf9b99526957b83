using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Layers;

/// <summary>
/// What a graph needs at given sizes, before it has memory: the type and place of every value, and each op's kernel. Made once per sizes
/// and shared by all runs.
/// </summary>
internal sealed class PlanLayout
{
    private readonly Dictionary<Value, MemoryPlan.Block> blocks = [];
    private readonly Dictionary<Value, TensorType> types = [];

    public PlanLayout(Graph graph, Device device, Sizes sizes, IReadOnlySet<string> keep)
    {
        Value[] results = [.. graph.Outputs.Values, .. keep.Select(name => graph.Named.GetValueOrDefault(name) ?? throw UnknownName(graph, name))];
        Node[] nodes = NeededBy(graph, results);
        var lastUse = LastUses(nodes);
        foreach (var value in results.Concat(graph.Inputs.Values)) lastUse[value] = nodes.Length; // readable after, and unchanged by, every run

        foreach (var input in graph.Inputs.Values)
        {
            types[input] = input.Type.Resolve(sizes);
            blocks[input] = new MemoryPlan.Block(types[input].Bytes, -1, nodes.Length);
        }

        var scratch = new List<MemoryPlan.Block>();
        Steps = [.. nodes.Select((node, i) => Prepare(node, i, device, lastUse, scratch))];
        MemoryPlan.Block[] all = [.. blocks.Values.Distinct(), .. scratch];
        ArenaBytes = MemoryPlan.Place(all);
        PeakLiveBytes = MemoryPlan.PeakLive(all, nodes.Length);
    }

    /// <summary>The ops in order, each with its kernel.</summary>
    public IReadOnlyList<PlanStep> Steps { get; }

    /// <summary>Bytes of the arena that a run needs.</summary>
    public long ArenaBytes { get; }

    /// <summary>The most bytes that are alive at once: the lower bound of any arena.</summary>
    public long PeakLiveBytes { get; }

    /// <summary>The memory of a value in an arena, or of a weight where it lies.</summary>
    public Tensor Locate(Value value, DeviceBuffer arena) =>
        value.Parameter?.Tensor ?? new Tensor(arena, blocks[value].Offset, types[value].DType, types[value].Concrete());

    private PlanStep Prepare(Node node, int index, Device device, Dictionary<Value, int> lastUse, List<MemoryPlan.Block> scratch)
    {
        TensorType[] inputs = [.. node.Inputs.Select(TypeOf)];
        TensorType output;
        try
        {
            output = node.Op.Infer(inputs);
        }
        catch (ShapeException e)
        {
            throw new ShapeException($"{node.Path}: {e.Message}");
        }

        types[node.Output] = output;
        int last = lastUse.GetValueOrDefault(node.Output, index);
        if (node.Op.MayRunInPlace && node.Inputs[0].Producer is not null && lastUse[node.Inputs[0]] == index
            && !node.Inputs.Skip(1).Contains(node.Inputs[0]) && inputs[0].Bytes == output.Bytes)
        {
            var block = blocks[node.Output] = blocks[node.Inputs[0]];
            block.Last = Math.Max(block.Last, last);
        }
        else
        {
            blocks[node.Output] = new MemoryPlan.Block(output.Bytes, index, last);
        }

        var signature = new OpSignature(node.Op, inputs, output);
        var kernel = device.Kernels.Get(signature);
        MemoryPlan.Block? work = kernel.ScratchBytes(signature) is > 0 and var bytes ? new MemoryPlan.Block(bytes, index, index) : null;
        if (work is not null) scratch.Add(work);
        return new PlanStep(node, signature, kernel, work);
    }

    private TensorType TypeOf(Value value) => value.Parameter?.Type ?? types[value];

    private static Node[] NeededBy(Graph graph, IEnumerable<Value> results)
    {
        var needed = new HashSet<Node>();
        var open = new Stack<Value>(results);
        while (open.TryPop(out var value))
        {
            if (value.Producer is not { } node || !needed.Add(node)) continue;
            foreach (var input in node.Inputs) open.Push(input);
        }

        return [.. graph.Nodes.Where(needed.Contains)];
    }

    private static Dictionary<Value, int> LastUses(Node[] nodes)
    {
        var lastUse = new Dictionary<Value, int>();
        for (int i = 0; i < nodes.Length; i++)
            foreach (var input in nodes[i].Inputs) lastUse[input] = i;
        return lastUse;
    }

    private static ArgumentException UnknownName(Graph graph, string name) =>
        new($"{graph.Name}: no layer is called '{name}'. Names are module paths such as '{graph.Named.Keys.FirstOrDefault()}'.");
}

/// <summary>One op of a plan.</summary>
/// <param name="Node">The graph's node.</param>
/// <param name="Signature">The op with its arguments' types at the plan's sizes.</param>
/// <param name="Kernel">What computes it.</param>
/// <param name="Scratch">Its working memory, if any.</param>
internal sealed record PlanStep(Node Node, OpSignature Signature, Kernel Kernel, MemoryPlan.Block? Scratch);
