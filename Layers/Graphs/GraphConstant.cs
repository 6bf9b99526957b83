using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>A value that is the same in every run: given numbers, or the result of ops over weights and other constants.</summary>
internal sealed class GraphConstant
{
    private const string Result = "result";
    private readonly float[]? values;
    private readonly Graph? recipe;

    private GraphConstant(TensorType type, float[]? values, Graph? recipe) => (Type, this.values, this.recipe) = (type, values, recipe);

    /// <summary>Element type and constant sizes.</summary>
    public TensorType Type { get; }

    /// <summary>Given numbers.</summary>
    public static GraphConstant Of(Shape shape, ReadOnlySpan<float> values) =>
        new(new TensorType(DType.Float32, shape), values.ToArray(), null);

    /// <summary>
    /// A value of a graph that depends on weights and constants alone; computed without passes, so that its bits are those of the graph as
    /// recorded.
    /// </summary>
    public static GraphConstant Of(Value value)
    {
        var recipe = new Graph(value.Producer!.Path);
        var copies = new Dictionary<Value, Value>();
        foreach (var node in value.Graph.NeededBy([value]))
        {
            Value[] arguments = [.. node.Inputs.Select(i => i.Parameter is { } parameter ? recipe.Use(parameter) : copies[i])];
            copies[node.Output] = recipe.At(node.Path, () => recipe.Add(node.Op, node.Output.Type, arguments));
        }

        recipe.Output(Result, copies[value]);
        return new GraphConstant(value.Type, null, recipe);
    }

    /// <summary>Computes the value into memory.</summary>
    /// <exception cref="InvalidOperationException">A weight that it depends on was not loaded.</exception>
    public void Fill(Tensor target, Device device)
    {
        if (values is not null)
        {
            device.Upload(MemoryMarshal.AsBytes<float>(values), target);
            return;
        }

        using var arenas = new ArenaPool(device); // intermediate values are freed immediately
        using var plan = new CompiledGraph(recipe!, arenas, CompileOptions.Eager).Rent(new Sizes());
        plan.Run();
        byte[] bytes = new byte[Type.Bytes]; // through the host: needed once per model, and devices have no other copy between buffers
        device.Download(plan.Output(Result), bytes);
        device.Upload(bytes, target);
    }
}
