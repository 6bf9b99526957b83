using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// An operation: an immutable record whose properties are the op's attributes. It infers its result's type and lists its kernels, which are
/// in the op's folder; its float64 reference and cases are in tests/Cases.
/// </summary>
public abstract record Op
{
    /// <summary>Every implementation, best first. One static instance per op.</summary>
    public abstract KernelSet Kernels { get; }

    /// <summary>The op's name in logs.</summary>
    public string Name => Kernels.Op;

    /// <summary>The op's name with what was fused into it, as plans print it: <c>conv2d+silu</c>.</summary>
    public virtual string Label => Name;

    /// <summary>The kind that profiles count it to.</summary>
    public virtual OpKind Kind => OpKind.Elementwise;

    /// <summary>The result's type.</summary>
    /// <param name="inputs">Types of the arguments; sizes may be symbolic. Called again with concrete sizes when a plan is made.</param>
    /// <exception cref="ShapeException">The arguments are invalid; the message names op, argument, value and requirement.</exception>
    public abstract TensorType Infer(ReadOnlySpan<TensorType> inputs);

    /// <summary>Floating-point operations of one call (a multiply-add counts two); 0 for memory-bound ops.</summary>
    public virtual double Flops(OpSignature signature) => 0;

    /// <summary>
    /// The size class for kernel tuning; null if there is nothing to tune. Epilogues do not count: a fused op and its plain form share
    /// settings.
    /// </summary>
    public virtual ShapeBucket? Bucket(OpSignature signature) => null;

    /// <summary>Why no kernel of a device supports a call, and what to do instead; null if there is nothing special to say.</summary>
    internal virtual string? WhyMissing(Device device, OpSignature signature) => null;

    /// <summary>Whether the result may overwrite the first input, element by element.</summary>
    public virtual bool MayRunInPlace => false;

    /// <summary>Throws unless an argument meets a condition.</summary>
    protected void Check(bool condition, string name, object found, string expected) =>
        ShapeException.ThrowUnless(condition, Name, name, found, expected);

    /// <summary>Throws unless the number of arguments is within bounds.</summary>
    protected void CheckCount(ReadOnlySpan<TensorType> inputs, int least, int? most = null) =>
        Check(inputs.Length >= least && inputs.Length <= (most ?? least), "arguments", inputs.Length,
            most is null ? $"{least}" : $"{least} to {most}");

    /// <summary>Element types of activations. All activations of one op have the same type unless the op says otherwise.</summary>
    private protected const string AnyFloat = "Float32, Float16 or BFloat16";

    /// <summary>Throws unless an argument is of a floating-point type with enough dimensions.</summary>
    private protected void CheckFloat(TensorType found, string name, int leastRank = 0) =>
        Check(found.DType.IsFloat() && found.Rank >= leastRank, name, found,
            leastRank == 0 ? AnyFloat : $"{AnyFloat} of at least {leastRank} dimension{(leastRank == 1 ? "" : "s")}");

    /// <summary>Throws unless an argument is of a floating-point type with the named dimensions.</summary>
    /// <param name="found">Its type.</param>
    /// <param name="name">Its name.</param>
    /// <param name="rank">Number of dimensions.</param>
    /// <param name="shape">Names of the dimensions, in brackets.</param>
    private protected void CheckFloat(TensorType found, string name, int rank, string shape) =>
        Check(found.DType.IsFloat() && found.Rank == rank, name, found, $"{shape} in {AnyFloat}");

    /// <summary>Throws unless an argument's element type is that of the op's first.</summary>
    private protected void CheckSameType(TensorType found, string name, TensorType first) =>
        Check(found.DType == first.DType, name, found, $"of {first.DType}, as the first argument");

    /// <summary>Throws unless an argument is Float32 with enough dimensions.</summary>
    protected void CheckFloat32(TensorType found, string name, int leastRank = 0) =>
        Check(found.DType == DType.Float32 && found.Rank >= leastRank, name, found,
            leastRank == 0 ? "Float32" : $"Float32 of at least {leastRank} dimension{(leastRank == 1 ? "" : "s")}");

    /// <summary>Throws unless a parameter is a vector of <paramref name="width"/> elements of any float type.</summary>
    protected void CheckVector(TensorType found, string name, Dim width) =>
        Check(found.DType.IsFloat() && found.Rank == 1 && found.Last.MayEqual(width), name, found,
            $"[{width}] in Float32, Float16 or BFloat16");
}
