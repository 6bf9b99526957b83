using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// A weight of a layer, whose shape is known from the start and whose memory is set when the layer's weights are loaded; or a constant of a
/// graph (<see cref="GraphConstant"/>), whose memory is allocated when a plan is made.
/// </summary>
public sealed class Parameter
{
    private readonly Layer? owner;
    private readonly string name;
    private Tensor? tensor;
    private DType? given;
    private bool seen;

    internal Parameter(Layer owner, string name, Shape shape, ParameterKind kind = ParameterKind.Float) =>
        (this.owner, this.name, Shape, Kind) = (owner, name, shape, kind);

    internal Parameter(string name, GraphConstant constant) => (this.name, Constant, Shape) = (name, constant, constant.Type.Concrete());

    /// <summary>The name in a checkpoint: <c>down_blocks.0.resnets.1.conv1.weight</c>.</summary>
    public string Path => owner is null || owner.Path.Length == 0 ? name : $"{owner.Path}.{name}";

    /// <summary>The shape, as in PyTorch.</summary>
    public Shape Shape { get; }

    /// <summary>What it may be stored as.</summary>
    internal ParameterKind Kind { get; }

    /// <summary>The kind of layer that owns it, for messages.</summary>
    public string OwnerKind => owner is null ? nameof(Constant) : owner.GetType().Name;

    /// <summary>The definition of a graph's constant; null for a layer's weight.</summary>
    internal GraphConstant? Constant { get; }

    /// <summary>The weight as stored in its file.</summary>
    /// <exception cref="InvalidOperationException">The layer's weights were not loaded.</exception>
    public Tensor Tensor => tensor ?? throw new InvalidOperationException($"{Path} has not been loaded.");

    /// <summary>
    /// Element type and shape for kernels: as stored, unless the model's <see cref="Layer.To"/> sets another type; Float32 until loaded.
    /// </summary>
    public TensorType Type => Constant?.Type ?? new(given ?? tensor?.DType ?? DType.Float32, Shape);

    /// <summary>Sets the type for kernels; null keeps the stored one. Devices that copy weights cast them during the upload.</summary>
    internal void To(DType? dtype) => given = dtype;

    /// <summary>The model that the layer is part of.</summary>
    internal Layer Root => owner?.Root ?? throw new InvalidOperationException($"{Path} is a constant.");

    /// <summary>Whether it has memory.</summary>
    internal bool IsLoaded => tensor is not null;

    /// <summary>Whether it is stored in a floating-point type.</summary>
    internal bool IsFloat => tensor?.DType.IsFloat() != false;

    /// <summary>Whether it can be stored in a type.</summary>
    internal bool Accepts(DType dtype) => Kind switch
    {
        ParameterKind.Float => dtype.IsFloat(),
        ParameterKind.Int8 => dtype == DType.Int8,
        _ => dtype == DType.Float32,
    };

    internal void Load(Tensor weight) => (tensor, seen) = (weight, false);

    /// <summary>
    /// The weight, checked on first use: its file is unchanged since it was opened, and all values are finite. The check is cheapest here,
    /// just before weights are packed or uploaded: on loading it would read the whole file.
    /// </summary>
    /// <exception cref="ModelFileException">The file changed, or has a NaN or infinite value; the message names file and
    /// tensor.</exception>
    internal Tensor Checked()
    {
        var weight = Tensor;
        if (seen || weight.Buffer is not HostBuffer { Owner: SafetensorsFile file }) return weight;
        file.RequireIntact();
        if (FiniteWeights.FirstOther(weight) is >= 0 and var at)
            throw new ModelFileException(file.Path,
                $"tensor {Text.Quote(Path)} holds NaN or infinity (element {at} of {Shape}); the file is damaged, or was made by a "
                    + "training that failed.");
        if (QuantizedValues.FirstInvalid(weight, Kind) is >= 0 and var wrong)
            throw new ModelFileException(file.Path,
                $"tensor {Text.Quote(Path)} holds a value that is not {QuantizedValues.Range(Kind)} (element {wrong} of {Shape}); the file "
                    + "is damaged, or its int8 weights are of another kind.")
            { Tensor = Path };
        seen = true;
        return weight;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Path} {Type}";
}
