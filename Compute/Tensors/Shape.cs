using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>
/// The sizes of a tensor, outermost first. Kernels see a tensor as <see cref="Rows"/> rows of <see cref="Last"/> elements:
/// an image [n, h, w, c] has n·h·w rows of c, tokens [n, s, c] have n·s rows of c.
/// </summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>
{
    private readonly int[]? sizes;

    private Shape(int[] sizes) => this.sizes = sizes;

    /// <summary>Creates a shape; also called by <c>[2, 3]</c>.</summary>
    /// <exception cref="ShapeException">A size is negative, or their product exceeds what one tensor can hold (2⁴⁸ elements).</exception>
    public static Shape Create(ReadOnlySpan<int> sizes)
    {
        long count = 1;
        foreach (int size in sizes)
        {
            if (size < 0 || (size > 0 && count > (1L << 48) / size))
                throw new ShapeException($"shape: [{string.Join(", ", sizes.ToArray())}] has a negative size or more than 2^48 elements.");
            count *= size;
        }

        return new Shape(sizes.ToArray());
    }

    /// <summary>Number of dimensions; 0 for a scalar.</summary>
    public int Rank => sizes?.Length ?? 0;

    /// <summary>Number of elements.</summary>
    public long Count
    {
        get
        {
            long count = 1;
            foreach (int size in Sizes) count *= size;
            return count;
        }
    }

    /// <summary>The innermost size; 1 for a scalar.</summary>
    public int Last => Rank == 0 ? 1 : sizes![^1];

    /// <summary>Product of all sizes but the innermost.</summary>
    public int Rows
    {
        get
        {
            int rows = 1;
            for (int i = 0; i < Rank - 1; i++) rows = checked(rows * sizes![i]);
            return rows;
        }
    }

    /// <summary>The sizes, outermost first.</summary>
    public ReadOnlySpan<int> Sizes => sizes;

    /// <summary>One size; the index may count from the end.</summary>
    public int this[Index index] => Sizes[index];

    /// <summary>Enables collection expressions.</summary>
    public ReadOnlySpan<int>.Enumerator GetEnumerator() => Sizes.GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(Shape other) => Sizes.SequenceEqual(other.Sizes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (int size in Sizes) hash.Add(size);
        return hash.ToHashCode();
    }

    /// <summary>Whether all sizes are equal.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether any size differs.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>The sizes in brackets: <c>[2, 64, 64, 320]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", Sizes.ToArray())}]";
}
