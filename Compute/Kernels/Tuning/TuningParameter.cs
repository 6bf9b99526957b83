using System.Collections.Immutable;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>One thing that can be set about a kernel, such as how many columns of a result make a part.</summary>
public sealed class TuningParameter
{
    /// <summary>Declares a parameter.</summary>
    /// <param name="name">As tables write it: <c>part_rows</c>.</param>
    /// <param name="default">What holds until something better was measured; one of the values.</param>
    /// <param name="values">What can be chosen. Sorted here: neighbours are tried first.</param>
    public TuningParameter(string name, int @default, params ReadOnlySpan<int> values)
    {
        (Name, Default, Values) = (name, @default, [.. values.ToArray().Append(@default).Distinct().Order()]);
    }

    /// <summary>As tables write it.</summary>
    public string Name { get; }

    /// <summary>What holds until something better was measured.</summary>
    public int Default { get; }

    /// <summary>What can be chosen, ascending.</summary>
    public ImmutableArray<int> Values { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({string.Join(", ", Values)}; default {Default})";
}
