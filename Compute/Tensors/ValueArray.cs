using System.Collections.Immutable;

namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>Some values in order, equal to others of equal values in the same order: what a key has several of.</summary>
/// <typeparam name="T">What there are several of, with an equality of its own.</typeparam>
/// <param name="Items">The values.</param>
public readonly record struct ValueArray<T>(ImmutableArray<T> Items)
{
    /// <inheritdoc/>
    public bool Equals(ValueArray<T> other) => Items.AsSpan().SequenceEqual(other.Items.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in Items.AsSpan()) hash.Add(item);
        return hash.ToHashCode();
    }

    /// <summary>The values, separated by commas: <c>Float32,BFloat16</c>.</summary>
    public override string ToString() => string.Join(',', Items.IsDefault ? [] : Items);
}
