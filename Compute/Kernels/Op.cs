using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// What to compute: a small immutable record whose properties are the op's attributes. It knows its result's type and its kernels;
/// kernels stand beside it in the op's folder, its float64 reference and cases in tests/Cases.
/// </summary>
public abstract record Op
{
    /// <summary>Every implementation, best first. One static instance per op.</summary>
    public abstract KernelSet Kernels { get; }

    /// <summary>The op's name as logs print it.</summary>
    public string Name => Kernels.Op;

    /// <summary>The result's type.</summary>
    /// <param name="inputs">Types of the arguments; sizes may be symbols. Called again with numbers when a plan is made.</param>
    /// <exception cref="ShapeException">The arguments do not fit; the message names op, argument, value and expectation.</exception>
    public abstract TensorType Infer(ReadOnlySpan<TensorType> inputs);

    /// <summary>Floating-point operations of one call (a multiply-add counts two); 0 where memory traffic alone decides.</summary>
    public virtual double Flops(OpSignature signature) => 0;

    /// <summary>The size class that this op's kernels are tuned for; null where there is nothing to tune. What is fused in does not count: a fused op and its plain form are set alike.</summary>
    public virtual ShapeBucket? Bucket(OpSignature signature) => null;

    /// <summary>Whether the result may overwrite the first input, element by element.</summary>
    public virtual bool MayRunInPlace => false;

    /// <summary>Throws unless an argument is as the op needs it.</summary>
    protected void Check(bool condition, string name, object found, string expected) =>
        ShapeException.ThrowUnless(condition, Name, name, found, expected);

    /// <summary>Throws unless the number of arguments is within bounds.</summary>
    protected void CheckCount(ReadOnlySpan<TensorType> inputs, int least, int? most = null) =>
        Check(inputs.Length >= least && inputs.Length <= (most ?? least), "arguments", inputs.Length, most is null ? $"{least}" : $"{least} to {most}");

    /// <summary>The element types that activations may have; those of one op are alike unless it says otherwise.</summary>
    private protected const string AnyFloat = "Float32, Float16 or BFloat16";

    /// <summary>Throws unless an argument is of a floating-point type with enough dimensions.</summary>
    private protected void CheckFloat(TensorType found, string name, int leastRank = 0) =>
        Check(found.DType.IsFloat() && found.Rank >= leastRank, name, found, leastRank == 0 ? AnyFloat : $"{AnyFloat} of at least {leastRank} dimension{(leastRank == 1 ? "" : "s")}");

    /// <summary>Throws unless an argument is of a floating-point type with the named dimensions.</summary>
    /// <param name="found">Its type.</param>
    /// <param name="name">Its name.</param>
    /// <param name="rank">Number of dimensions.</param>
    /// <param name="shape">Their names, in brackets.</param>
    private protected void CheckFloat(TensorType found, string name, int rank, string shape) =>
        Check(found.DType.IsFloat() && found.Rank == rank, name, found, $"{shape} in {AnyFloat}");

    /// <summary>Throws unless an argument's element type is that of the op's first.</summary>
    private protected void CheckSameType(TensorType found, string name, TensorType first) =>
        Check(found.DType == first.DType, name, found, $"of {first.DType}, as the first argument");

    /// <summary>Throws unless an argument is Float32 with enough dimensions.</summary>
    protected void CheckFloat32(TensorType found, string name, int leastRank = 0) =>
        Check(found.DType == DType.Float32 && found.Rank >= leastRank, name, found, leastRank == 0 ? "Float32" : $"Float32 of at least {leastRank} dimension{(leastRank == 1 ? "" : "s")}");

    /// <summary>Throws unless a parameter is a vector of <paramref name="width"/> floats of any width.</summary>
    protected void CheckVector(TensorType found, string name, Dim width) =>
        Check(found.DType.IsFloat() && found.Rank == 1 && found.Last.MayEqual(width), name, found, $"[{width}] in Float32, Float16 or BFloat16");
}
