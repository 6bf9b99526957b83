using System.Collections.Immutable;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A tuning parameter of a kernel, such as the number of columns per part.</summary>
public sealed class TuningParameter
{
    /// <summary>Declares a parameter.</summary>
    /// <param name="name">Name in tuning tables: <c>part_rows</c>.</param>
    /// <param name="default">Untuned value; one of the values.</param>
    /// <param name="values">The values to choose from, in any order. The tuner tries neighbouring values first.</param>
    public TuningParameter(string name, int @default, params ReadOnlySpan<int> values)
    {
        (Name, Default, Values) = (name, @default, [.. values.ToArray().Append(@default).Distinct().Order()]);
    }

    /// <summary>Name in tuning tables.</summary>
    public string Name { get; }

    /// <summary>Untuned value.</summary>
    public int Default { get; }

    /// <summary>The values to choose from, ascending.</summary>
    public ImmutableArray<int> Values { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({string.Join(", ", Values)}; default {Default})";
}
