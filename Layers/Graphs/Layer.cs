using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Weights and ops. A derived class declares children and parameters under PyTorch's names in its constructor, so that weights load by
/// path, and has a <c>Forward</c> that records ops over symbolic values. Memory is used only when weights are loaded.
/// </summary>
public abstract partial class Layer
{
    private readonly List<Layer> children = [];
    private readonly List<Parameter> parameters = [];
    private Layer? parent;
    private string name = "";

    /// <summary>Path of the layer in its model: <c>mid_block.attentions.0</c>; empty for the model itself.</summary>
    public string Path => parent is null ? name : parent.Path.Length == 0 ? name : $"{parent.Path}.{name}";

    /// <summary>The model: the root of the layer tree.</summary>
    internal Layer Root => parent?.Root ?? this;

    /// <summary>The layers directly below.</summary>
    public IReadOnlyList<Layer> Children => children;

    /// <summary>This layer's weights and those of every layer below, in the order of declaration.</summary>
    public IEnumerable<Parameter> Parameters => parameters.Concat(children.SelectMany(c => c.Parameters));

    /// <summary>
    /// Takes every weight from a source, without copying. Tensors that the model does not have are ignored with a notice, as in diffusers
    /// and transformers: files may contain weights of more than one model.
    /// </summary>
    /// <exception cref="ModelFileException">A weight is missing or has the wrong shape; the message names tensor and layer.</exception>
    public virtual void Load(IWeightSource source, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        Expect(source);
        var surplus = source.Names.ToHashSet(StringComparer.Ordinal);
        var missing = new List<string>();
        string? firstMissing = null;
        foreach (var parameter in Parameters)
        {
            string path = parameter.Path;
            surplus.Remove(path);
            if (source.Find(path) is not { } tensor)
            {
                missing.Add($"{path} {parameter.Shape} of {parameter.OwnerKind}{InFile(path)}");
                firstMissing ??= path;
                continue;
            }

            if (tensor.Shape != parameter.Shape || !parameter.Accepts(tensor.DType))
                throw new ModelFileException(source.Location,
                    $"tensor '{path}'{InFile(path)} is {tensor}; {GetType().Name}'s {parameter.OwnerKind} needs a "
                    + $"{(parameter.Kind == ParameterKind.Float ? "floating-point" : parameter.Accepts(DType.Int8) ? "Int8" : "Float32")} "
                    + $"{parameter.Shape}. Do the weights belong to this config.json?")
                { Tensor = path };
            parameter.Load(tensor);
        }

        Changed();
        if (missing.Count > 0)
            throw new ModelFileException(source.Location,
                $"{missing.Count} tensor(s) that {GetType().Name} needs are missing: {Some(missing)}.")
            { Tensor = firstMissing };
        logger ??= TraceLoggerFactory.Instance.CreateLogger<Layer>();
        string some = Some(surplus.Order(StringComparer.Ordinal).Select(name => Text.Quote(name) + InFile(name)));
        if (surplus.Count > 0) GraphLog.TensorsLeftOut(logger, source.Location, surplus.Count, GetType().Name, some);

        string InFile(string name) => source.StoredNameOf(name) is { } stored ? $" (in the file {Text.Quote(stored)})" : "";
    }

    /// <summary>
    /// Casts matrices and tables to a 16-bit type for kernels with activations of that type; vectors stay as stored, because they are small
    /// and widened anyway. For devices that copy weights: they cast during the upload, and files are unchanged. Float32 keeps every weight
    /// as stored, except for <see cref="Float32Precision.TensorFloat32"/>, whose kernels read Float32. Call before the model is traced.
    /// </summary>
    /// <param name="dtype">The type of the model's activations.</param>
    /// <param name="precision">How GEMMs and convolutions multiply if that is Float32, whether the model is compiled or not.</param>
    public void To(DType dtype, Float32Precision precision = Float32Precision.Highest)
    {
        bool stored = dtype == DType.Float32 && precision == Float32Precision.Highest;
        foreach (var parameter in Parameters)
            if (parameter.Shape.Rank > 1 && parameter.IsFloat) parameter.To(stored ? null : dtype);
        Change(() => float32Precision = precision);
    }

    /// <summary>Declares a child layer.</summary>
    protected T Child<T>(string childName, T child) where T : Layer
    {
        if (child.parent is not null) throw new InvalidOperationException($"{child.Path} already has a parent.");
        (child.parent, child.name) = (this, childName);
        children.Add(child);
        return child;
    }

    /// <summary>Declares numbered child layers: <c>name.0</c>, <c>name.1</c> …</summary>
    protected IReadOnlyList<T> ChildList<T>(string listName, IEnumerable<T> layers) where T : Layer =>
        [.. layers.Select((layer, i) => Child($"{listName}.{i}", layer))];

    /// <summary>Declares a weight.</summary>
    protected Parameter Weight(string weightName, params ReadOnlySpan<int> shape)
    {
        var parameter = new Parameter(this, weightName, Shape.Create(shape));
        parameters.Add(parameter);
        return parameter;
    }

    /// <summary>
    /// Replaces a weight by another one, such as its quantised form, or adds it if there is none to replace; graphs traced before keep the
    /// old one.
    /// </summary>
    private protected Parameter Replace(Parameter? replaced, string weightName, Tensor weight)
    {
        var parameter = Declare(replaced, weightName, weight.Shape, ParameterKind.Float);
        parameter.Load(weight);
        Changed();
        return parameter;
    }

    /// <summary>Declares a weight in the place of another one, or adds it if there is none to replace.</summary>
    private protected Parameter Declare(Parameter? replaced, string weightName, Shape shape, ParameterKind kind)
    {
        var parameter = new Parameter(this, weightName, shape, kind);
        if (replaced is null) parameters.Add(parameter);
        else parameters[parameters.IndexOf(replaced)] = parameter;
        return parameter;
    }

    /// <summary>Adapts the declared weights of this layer and those below to what a source holds.</summary>
    private protected virtual void Expect(IWeightSource source)
    {
        foreach (var child in children) child.Expect(source);
    }

    /// <summary>Records what this layer computes and names the result by its path. Every Forward must use it.</summary>
    protected Value Record(Value x, Func<Value> body) => x.Graph.InLayer(this, body);

    private static string Some(IEnumerable<string> names)
    {
        const int Shown = 5;
        string[] list = [.. names];
        return string.Join(", ", list.Take(Shown)) + (list.Length > Shown ? $" and {list.Length - Shown} more" : "");
    }
}
