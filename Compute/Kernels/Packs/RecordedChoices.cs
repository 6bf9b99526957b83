using System.Collections.Concurrent;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The choices of kernels that a device made, by size class. Classes whose calls got different choices are left out.</summary>
internal sealed class RecordedChoices
{
    private readonly ConcurrentDictionary<(TuningKey Key, int Rows), KernelChoice?> choices = new();

    /// <summary>One result per size class, in a fixed order. Times are 0: nothing was measured.</summary>
    public IReadOnlyList<TuningEntry> Entries => [.. choices.Where(c => c.Value is not null)
        .Select(c => Entry(c.Key.Key, c.Key.Rows, c.Value!.Value))
        .OrderBy(e => e.Op, StringComparer.Ordinal).ThenBy(e => e.DTypes, StringComparer.Ordinal)
        .ThenBy(e => e.Shape, StringComparer.Ordinal).ThenBy(e => e.Rows)];

    /// <summary>Records a choice.</summary>
    public void Add(OpSignature signature, KernelChoice choice)
    {
        if (TuningKey.Of(signature) is not { } key) return;
        choices.AddOrUpdate(key, choice, (_, known) =>
            known is { } first && first.Variant == choice.Variant && first.Settings.Equals(choice.Settings) ? known : null);
    }

    private static TuningEntry Entry(TuningKey key, int rows, KernelChoice choice) => new(key.Op, key.DTypes.ToString(), rows,
        key.Shape.ToString(), key.Revision, choice.Variant.Name, choice.Settings.Values, 0, 0);
}
