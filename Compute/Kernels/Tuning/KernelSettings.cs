using System.Collections.Immutable;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Values of a kernel variant's tuning parameters, compared by value. Parameters that are not set have their defaults.</summary>
public sealed class KernelSettings : IEquatable<KernelSettings>
{
    private readonly ImmutableSortedDictionary<string, int> values;

    private KernelSettings(ImmutableSortedDictionary<string, int> values) => this.values = values;

    /// <summary>All parameters at their defaults.</summary>
    public static KernelSettings Default { get; } = new(ImmutableSortedDictionary.Create<string, int>(StringComparer.Ordinal));

    /// <summary>The values that differ from the defaults, by parameter name.</summary>
    public IReadOnlyDictionary<string, int> Values => values;

    /// <summary>A parameter's value. For use when a launch is bound, never in a loop.</summary>
    public int this[TuningParameter parameter] => values.TryGetValue(parameter.Name, out int value) ? value : parameter.Default;

    /// <summary>Settings from names and values.</summary>
    public static KernelSettings Of(IEnumerable<KeyValuePair<string, int>> values) => new(Default.values.SetItems(values));

    /// <summary>These settings with one parameter changed; defaults are not stored.</summary>
    public KernelSettings With(TuningParameter parameter, int value) =>
        new(value == parameter.Default ? values.Remove(parameter.Name) : values.SetItem(parameter.Name, value));

    /// <inheritdoc/>
    public bool Equals(KernelSettings? other) =>
        other is not null && values.Count == other.values.Count && values.SequenceEqual(other.values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as KernelSettings);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var (name, value) in values)
        {
            hash.Add(name, StringComparer.Ordinal);
            hash.Add(value);
        }

        return hash.ToHashCode();
    }

    /// <summary><c>part_rows=512 parts_per_thread=2</c>, or nothing.</summary>
    public override string ToString() => string.Join(' ', values.Select(v => $"{v.Key}={v.Value}"));
}
