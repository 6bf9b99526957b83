using System.Collections.Immutable;

namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>Values of a graph's symbols for one request, such as batch = 2, height = 64. Equal sizes share a plan.</summary>
public sealed class Sizes : IEquatable<Sizes>
{
    private readonly ImmutableSortedDictionary<string, int> values;

    /// <summary>Creates sizes; each symbol may appear once.</summary>
    public Sizes(params ReadOnlySpan<(string Symbol, int Size)> values)
    {
        var builder = ImmutableSortedDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        foreach (var (symbol, size) in values)
        {
            ShapeException.ThrowUnless(size > 0, "sizes", symbol, size, "positive");
            builder.Add(symbol, size);
        }

        this.values = builder.ToImmutable();
    }

    /// <summary>The value of a symbol.</summary>
    /// <exception cref="ShapeException">The symbol has no value.</exception>
    public int this[string symbol] =>
        values.TryGetValue(symbol, out int size) ? size : throw new ShapeException($"sizes: '{symbol}' has no value; given are {this}.");

    /// <inheritdoc/>
    public bool Equals(Sizes? other) => other is not null && values.SequenceEqual(other.values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Sizes);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var pair in values) hash.Add(pair);
        return hash.ToHashCode();
    }

    /// <summary>The symbols and values, such as <c>batch = 2, height = 64</c>.</summary>
    public override string ToString() => string.Join(", ", values.Select(v => $"{v.Key} = {v.Value}"));
}
