using System.Collections.Immutable;

namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>
/// Element type and sizes of a traced value. Sizes that the user chooses are symbols; <see cref="Resolve"/> replaces them by numbers.
/// </summary>
/// <param name="DType">How the elements are stored.</param>
/// <param name="Shape">The sizes, outermost first.</param>
public readonly record struct TensorType(DType DType, ImmutableArray<Dim> Shape)
{
    /// <summary>The type of a tensor with constant sizes.</summary>
    public TensorType(DType dtype, Shape shape) : this(dtype, [.. shape.Sizes.ToArray().Select(Dim.FromInt32)]) { }

    /// <summary>Number of dimensions.</summary>
    public int Rank => Shape.Length;

    /// <summary>The innermost size.</summary>
    public Dim Last => Shape[^1];

    /// <summary>The same element type with other sizes.</summary>
    public TensorType With(params ReadOnlySpan<Dim> shape) => new(DType, [.. shape]);

    /// <summary>The same type with another innermost size.</summary>
    public TensorType WithLast(Dim last) => this with { Shape = Shape.SetItem(Rank - 1, last) };

    /// <summary>The same type with every symbol replaced by its value.</summary>
    public TensorType Resolve(Sizes sizes) => this with { Shape = [.. Shape.Select(d => Dim.FromInt32(d.Evaluate(sizes)))] };

    /// <summary>The sizes as numbers.</summary>
    /// <exception cref="InvalidOperationException">A size depends on a symbol.</exception>
    public Shape Concrete() =>
        [.. Shape.Select(d => d.Constant ?? throw new InvalidOperationException($"The size {d} has no value yet."))];

    /// <summary>Bytes of a contiguous tensor of this type; every size must be known.</summary>
    public long Bytes => Concrete().Count * DType.Size();

    /// <summary>Whether the shapes can be equal for some values of the symbols.</summary>
    public bool MayHaveShapeOf(TensorType other) =>
        Rank == other.Rank && Shape.Zip(other.Shape).All(pair => pair.First.MayEqual(pair.Second));

    /// <inheritdoc/>
    public bool Equals(TensorType other) => DType == other.DType && Shape.SequenceEqual(other.Shape);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(DType, Rank);

    /// <summary>Such as <c>Float32[batch, height, width, 320]</c>.</summary>
    public override string ToString() => $"{DType}[{string.Join(", ", Shape)}]";
}
