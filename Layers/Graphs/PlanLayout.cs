using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Memory and kernels of a graph at given sizes, before memory is allocated: type and place of every value, and each op's kernel. Made once
/// per sizes and shared by all runs.
/// </summary>
internal sealed class PlanLayout
{
    private const long MostPrepackedWeights = 16L << 20; // 64 MiB in float32
    private readonly Dictionary<Value, TensorType> types = [];
    private readonly Dictionary<Value, Place> places = [];
    private readonly AttentionOptions? attention;
    private readonly Lock preparing = new();
    private readonly Float32Precision precision;
    private CancellationToken? prepared; // of the last request that started the kernels

    /// <summary>Lays out a plan.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="device">The device.</param>
    /// <param name="sizes">A value for every symbol.</param>
    /// <param name="keep">Values to keep until the end of a run, by name.</param>
    /// <param name="options">The compile options.</param>
    /// <param name="attention">How attention is computed; null for what each layer chose.</param>
    public PlanLayout(Graph graph, Device device, Sizes sizes, IReadOnlySet<string> keep, CompileOptions options,
        AttentionOptions? attention = null)
    {
        (Graph, Device, this.attention, precision) = (graph, device, attention, options.Float32Precision);
        Value[] results = [.. graph.Outputs.Values,
            .. keep.Select(name => graph.Named.GetValueOrDefault(name) ?? throw UnknownName(graph, name))];
        Node[] nodes = [.. graph.NeededBy(results)];
        int loopInvariant = 0;
        if (options.LoopInvariants)
        {
            loopInvariant = nodes.Count(node => node.Output.IsLoopInvariant);
            nodes = [.. nodes.OrderBy(node => !node.Output.IsLoopInvariant)]; // stable: the order stays topological
        }

        foreach (var input in graph.Inputs.Values) types[input] = input.Type.Resolve(sizes);
        foreach (var node in nodes) types[node.Output] = Infer(node);
        var views = options.ColumnViews ? new ViewPlacement(nodes, types, results.ToHashSet()) : null;
        PrepacksWeights = options.PrepackWeights
            ?? nodes.SelectMany(n => n.Inputs).Select(i => i.Parameter).OfType<Parameter>().Distinct()
                .Sum(p => p.Shape.Count) <= MostPrepackedWeights;
        var blocks = Assign(graph, nodes, loopInvariant, results, views, device);

        var scratch = new List<MemoryPlan.Block>();
        PlanStep?[] steps = [.. nodes.Select((node, i) => views?.IsFree(node) == true ? null : Prepare(node, i, device, scratch))];
        LoopInvariantSteps = [.. steps[..loopInvariant].OfType<PlanStep>()];
        Steps = [.. steps[loopInvariant..].OfType<PlanStep>()];
        MemoryPlan.Block[] all = [.. blocks, .. scratch];
        Blocks = all;
        Length = nodes.Length;
        ArenaBytes = MemoryPlan.Place(all);
        PeakLiveBytes = MemoryPlan.PeakLive(all, nodes.Length);
        PrepacksTransforms = options.PrepackWeights == true;
    }

    /// <summary>The graph.</summary>
    public Graph Graph { get; }

    /// <summary>The device.</summary>
    public Device Device { get; }

    /// <summary>Whether kernels keep their weights packed, see <see cref="CompileOptions.PrepackWeights"/>.</summary>
    public bool PrepacksWeights { get; }

    /// <summary>Whether that includes packed forms of several times their size.</summary>
    public bool PrepacksTransforms { get; }

    /// <summary>The ops that depend only on loopInvariant inputs, in order.</summary>
    public IReadOnlyList<PlanStep> LoopInvariantSteps { get; }

    /// <summary>The ops of every run in order, each with its kernel.</summary>
    public IReadOnlyList<PlanStep> Steps { get; }

    /// <summary>Bytes of the arena that a run needs.</summary>
    public long ArenaBytes { get; }

    /// <summary>The most bytes that are alive at once: the lower bound of any arena.</summary>
    public long PeakLiveBytes { get; }

    /// <summary>All blocks of the arena.</summary>
    public IReadOnlyList<MemoryPlan.Block> Blocks { get; }

    /// <summary>The values in the arena, each with its block.</summary>
    public IEnumerable<(Value Value, MemoryPlan.Block Block)> Placed => places.Select(p => (p.Key, p.Value.Block));

    /// <summary>Number of ops, including those that take no launch: the time axis of blocks.</summary>
    public int Length { get; }

    /// <summary>
    /// Starts compiling the kernels that the device does not have yet in the background. Needs no device memory and no weights.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="cancellation">Skips kernels whose compilation has not started.</param>
    public void Prepare(Device device, CancellationToken cancellation = default)
    {
        if (!device.CompilesKernels) return;
        lock (preparing)
        {
            if (prepared is { IsCancellationRequested: false }) return;
            prepared = cancellation;
        }

        var arena = new UnbackedBuffer(ArenaBytes);
        foreach (var step in LoopInvariantSteps.Concat(Steps))
        {
            Tensor[] inputs = [.. step.Node.Inputs.Select(input =>
                input.Parameter is { } weight ? UnbackedBuffer.Of(weight.Type) : Locate(input, arena))];

            // As if weights were packed in every run: the same kernels pack them when a plan is made.
            long bytes = step.Kernel.ScratchBytes(step.Signature with { KeepsPacked = false });
            var scratch = bytes == 0 ? null : UnbackedBuffer.Of(new TensorType(DType.Int8, [checked((int)bytes)]));
            step.Kernel.Prepare(new OpCall(device, step.Signature.Op, inputs, Locate(step.Node.Output, arena),
                scratch)
            { KernelPositionsFirst = step.Signature.KernelPositionsFirst, Cancellation = cancellation });
        }
    }

    /// <summary>A step's scratch memory in an arena; null if it needs none.</summary>
    public static Tensor? ScratchOf(PlanStep step, DeviceBuffer arena) =>
        step.Scratch is { } s ? new Tensor(arena, s.Offset, DType.Int8, [checked((int)s.Bytes)]) : null;

    /// <summary>The memory of a value in an arena, or of a weight in place.</summary>
    public Tensor Locate(Value value, DeviceBuffer arena)
    {
        if (value.Parameter is { } parameter) return parameter.Tensor;
        var (place, type) = (places[value], types[value]);
        return new Tensor(arena, place.Block.Start + place.Offset, type.DType, type.Concrete(), place.Pitch);
    }

    /// <summary>A value's type at the plan's sizes.</summary>
    public TensorType TypeOf(Value value) => value.Parameter?.Type ?? types[value];

    private TensorType Infer(Node node)
    {
        try
        {
            return node.Op.Infer([.. node.Inputs.Select(TypeOf)]);
        }
        catch (ShapeException e)
        {
            throw e.In(node.Path);
        }
    }

    /// <summary>Assigns a block of memory, or a part of one, to every value, for as long as it is needed.</summary>
    private List<MemoryPlan.Block> Assign(Graph graph, Node[] nodes, int loopInvariant, Value[] results, ViewPlacement? views,
        Device device)
    {
        (Value Root, int Row, int Column) Find(Value value) => views?.Find(value) ?? (value, 0, 0);

        // 1. Lifetime of each block.
        var first = new Dictionary<Value, int>();
        var last = new Dictionary<Value, int>();
        void Extend(Value value, int from, int to)
        {
            var root = Find(value).Root;
            first[root] = Math.Min(first.GetValueOrDefault(root, from), from);
            last[root] = Math.Max(last.GetValueOrDefault(root, to), to);
        }

        foreach (var input in graph.Inputs.Values) Extend(input, -1, nodes.Length); // readable after every run, and unchanged
        for (int i = 0; i < nodes.Length; i++)
        {
            Extend(nodes[i].Output, i, i);
            foreach (var input in nodes[i].Inputs)
                if (input.Parameter is null)
                    Extend(input, i, i >= loopInvariant && input.Producer is not null && input.IsLoopInvariant && loopInvariant > 0
                        ? nodes.Length : i);
        }

        foreach (var result in results)
            if (result.Parameter is null) Extend(result, nodes.Length, nodes.Length);

        // 2. Blocks; an op's result may reuse the memory of an argument with no later use.
        var blocks = new Dictionary<Value, MemoryPlan.Block>();
        foreach (var input in graph.Inputs.Values) Create(input);
        for (int i = 0; i < nodes.Length; i++)
        {
            var (node, output) = (nodes[i], nodes[i].Output);
            if (views?.HasOwnMemory(output) != false && !blocks.ContainsKey(output))
            {
                if (Replaceable(node, i) is { } replaced)
                {
                    blocks[output] = blocks[replaced];
                    blocks[output].Last = Math.Max(blocks[output].Last, last[output]);
                }
                else
                {
                    Create(output, Overlapped(node, i));
                }
            }
            else if (Find(output).Root is var root && !blocks.ContainsKey(root))
            {
                Create(root);
            }

            var place = Find(output);
            int pitch = TypeOf(place.Root).Concrete().Last;
            places[output] = new Place(blocks[place.Root], ((long)place.Row * pitch + place.Column) * TypeOf(output).DType.Size(), pitch);
        }

        return [.. blocks.Values.Distinct()];

        void Create(Value root, MemoryPlan.Block? over = null)
        {
            var block = blocks[root] = new MemoryPlan.Block(TypeOf(root).Bytes, first[root], last[root]) { Over = over };
            if (root.Producer is null) places[root] = new Place(block, 0, 0);
        }

        Value? Replaceable(Node node, int index) =>
            node.Op.MayRunInPlace && IsFreeAfter(node, index) && TypeOf(node.Inputs[0]).Bytes == TypeOf(node.Output).Bytes ? node.Inputs[0]
                : null;

        // The argument's block, if the kernel can write its result over it.
        MemoryPlan.Block? Overlapped(Node node, int index)
        {
            if (node.Op.MayRunInPlace || !IsFreeAfter(node, index)) return null;
            var signature = Signature(node, device);
            if (device.Kernels.Get(signature, device.Kernels.Choose(signature)).OverlapLead(signature) is not { } lead) return null;
            var block = blocks[node.Inputs[0]];
            block.Lead = lead;
            return block;
        }

        bool IsFreeAfter(Node node, int index)
        {
            var argument = node.Inputs[0];
            if (argument.Producer is null || views?.HasOwnMemory(argument) == false || first[node.Output] != index) return false;
            var block = blocks[argument];
            return block.Last == index && node.Inputs.Skip(1).All(i => i.Parameter is not null || blocks[Find(i).Root] != block);
        }
    }

    private OpSignature Signature(Node node, Device device)
    {
        bool weighs = node.Inputs is [_, { Parameter: not null }, ..];
        return new OpSignature(Planned(node.Op), [.. node.Inputs.Select(TypeOf)], types[node.Output])
        {
            Float32Precision = node.Op.Kind is OpKind.MatrixProduct or OpKind.Convolution && TypeOf(node.Inputs[0]).DType == DType.Float32
                ? precision : Float32Precision.Highest,
            KeepsPacked = weighs && PrepacksWeights,
            KernelPositionsFirst = weighs && node.Inputs[1].Parameter!.Constant is null
                && DeviceWeights.PutsKernelPositionsFirst(device, node.Op, TypeOf(node.Inputs[1])),
        };
    }

    private Op Planned(Op op) =>
        attention is { } options && op is ScaledDotProductAttention recorded ? recorded with { Options = options } : op;

    private PlanStep Prepare(Node node, int index, Device device, List<MemoryPlan.Block> scratch)
    {
        var signature = Signature(node, device);
        var choice = device.Kernels.Choose(signature);
        var kernel = device.Kernels.Get(signature, choice);
        MemoryPlan.Block? work = kernel.ScratchBytes(signature) is > 0 and var bytes ? new MemoryPlan.Block(bytes, index, index) : null;
        if (work is not null) scratch.Add(work);
        return new PlanStep(node, index, signature, choice, kernel, work);
    }

    private static ArgumentException UnknownName(Graph graph, string name) =>
        new($"{graph.Name}: no layer is called '{name}'. Names are module paths such as '{graph.Named.Keys.FirstOrDefault()}'.");

    /// <summary>A part of a block.</summary>
    /// <param name="Block">The memory.</param>
    /// <param name="Offset">Bytes from its start.</param>
    /// <param name="Pitch">Elements between the starts of rows; 0 means contiguous.</param>
    private readonly record struct Place(MemoryPlan.Block Block, long Offset, int Pitch);
}

/// <summary>One op of a plan.</summary>
/// <param name="Node">The graph's node.</param>
/// <param name="Index">Its index among all ops, including those that take no launch.</param>
/// <param name="Signature">The op with its arguments' types at the plan's sizes.</param>
/// <param name="Choice">The chosen kernel variant and its settings.</param>
/// <param name="Kernel">The kernel.</param>
/// <param name="Scratch">Its scratch block, if any.</param>
internal sealed record PlanStep(Node Node, int Index, OpSignature Signature, KernelChoice Choice, Kernel Kernel, MemoryPlan.Block? Scratch)
{
    /// <summary>The implementation of attention; null for other ops.</summary>
    public AttentionChoice? Attention(Device device) => AttentionChoice.Of(device, Signature, Choice);
}
