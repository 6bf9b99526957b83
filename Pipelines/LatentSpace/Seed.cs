using System.Globalization;

namespace ILGpuDiffusion.Pipelines.LatentSpace;

/// <summary>
/// Seed of a <see cref="TorchGenerator"/>, in the range of <c>torch.Generator.manual_seed</c>: −2⁶³ … 2⁶⁴ − 1. A negative seed stands for
/// 2⁶⁴ + seed, as in PyTorch, so −1 and 18446744073709551615 are the same seed. Integers convert implicitly.
/// </summary>
/// <param name="Value">The seed as PyTorch keeps it (<c>Generator.initial_seed()</c>).</param>
public readonly record struct Seed(ulong Value)
{
    /// <summary>A seed; a negative one stands for 2⁶⁴ + seed.</summary>
    public static implicit operator Seed(int value) => FromInt64(value);

    /// <summary>A seed; a negative one stands for 2⁶⁴ + seed.</summary>
    public static implicit operator Seed(long value) => FromInt64(value);

    /// <summary>A seed.</summary>
    public static implicit operator Seed(uint value) => new(value);

    /// <summary>A seed.</summary>
    public static implicit operator Seed(ulong value) => new(value);

    /// <summary>A seed; a negative one stands for 2⁶⁴ + seed.</summary>
    public static Seed FromInt32(int value) => FromInt64(value);

    /// <summary>A seed; a negative one stands for 2⁶⁴ + seed.</summary>
    public static Seed FromInt64(long value) => new(unchecked((ulong)value));

    /// <summary>A seed.</summary>
    public static Seed FromUInt32(uint value) => new(value);

    /// <summary>A seed.</summary>
    public static Seed FromUInt64(ulong value) => new(value);

    /// <summary>The seed of the image <paramref name="index"/> places further in a batch: seed + index, modulo 2⁶⁴.</summary>
    public Seed Plus(int index) => new(unchecked(Value + (ulong)index));

    /// <summary>Reads a whole number within −2⁶³ … 2⁶⁴ − 1; blanks and separators are not allowed.</summary>
    /// <returns>False when the text is something else.</returns>
    public static bool TryParse(string? text, out Seed seed)
    {
        bool positive = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value);
        bool known = positive | long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long signed);
        seed = positive ? value : signed;
        return known;
    }

    /// <summary>The number as PyTorch keeps it, 0 … 2⁶⁴ − 1.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
