using System.Globalization;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// What the model fixes about calls of an op: the part of a <see cref="ShapeBucket"/> that is exact. Its text stands in tuning tables.
/// </summary>
public abstract partial record BucketShape
{
    /// <summary>A shape from its text; null where it is none.</summary>
    /// <remarks>A further form of text needs a further <see cref="TuningFile.FormatVersion"/>.</remarks>
    internal static BucketShape? Parse(string text)
    {
        if (GemmText().Match(text) is { Success: true, Groups: var gemm })
        {
            ValueArray<int> columns = new([.. gemm[3].Value.Split('+').Select(Number)]);
            return new GemmShape(Number(gemm[1]), columns, gemm[2].Success);
        }

        if (ConvolutionText().Match(text) is { Success: true, Groups: var c })
            return new ConvolutionShape(Number(c[1]), Number(c[2]), Number(c[3]), Number(c[4]), c[5].Success ? Number(c[5]) : 1);
        if (AttentionText().Match(text) is { Success: true, Groups: var a })
            return new AttentionShape(Number(a[1]), Number(a[2]), a[3].Success ? Number(a[3]) : null, a[4].Success);
        return null;
    }

    private static int Number(Group group) => Number(group.Value);

    private static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    // Nine digits are below 2³¹.
    [GeneratedRegex(@"^(\d{1,9})→(2·)?(\d{1,9}(?:\+\d{1,9})*)\z", RegexOptions.ECMAScript)]
    private static partial Regex GemmText();

    [GeneratedRegex(@"^(\d{1,9})→(\d{1,9}) (\d{1,9})x(\d{1,9})(?: /(\d{1,9}))?\z", RegexOptions.ECMAScript)]
    private static partial Regex ConvolutionText();

    [GeneratedRegex(@"^(\d{1,9})x(\d{1,9}) (?:self|(\d{1,9}) keys)( causal)?\z", RegexOptions.ECMAScript)]
    private static partial Regex AttentionText();
}

/// <summary>A GEMM's: <c>640→1280</c>; of several weights <c>640→640+640+640</c>, gated <c>640→2·2560</c>.</summary>
/// <param name="Depth">Length of a row of the left operand.</param>
/// <param name="Columns">Columns of each result.</param>
/// <param name="Gated">Whether the weight has as many columns again, which gate the others.</param>
internal sealed record GemmShape(int Depth, ValueArray<int> Columns, bool Gated = false) : BucketShape
{
    /// <summary>Of one weight.</summary>
    public GemmShape(int depth, int columns, bool gated = false) : this(depth, new ValueArray<int>([columns]), gated) { }

    /// <inheritdoc/>
    public override string ToString() => $"{Depth}→{(Gated ? "2·" : "")}{string.Join('+', Columns.Items)}";
}

/// <summary>A convolution's: <c>320→640 3x3</c>, with a stride <c>320→320 3x3 /2</c>.</summary>
/// <param name="InputChannels">Channels of the image.</param>
/// <param name="OutputChannels">Channels of the result.</param>
/// <param name="KernelHeight">Rows of the filter.</param>
/// <param name="KernelWidth">Columns of the filter.</param>
/// <param name="Stride">Its step.</param>
internal sealed record ConvolutionShape(int InputChannels, int OutputChannels, int KernelHeight, int KernelWidth, int Stride) : BucketShape
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{InputChannels}→{OutputChannels} {KernelHeight}x{KernelWidth}{(Stride == 1 ? "" : $" /{Stride}")}";
}

/// <summary>Attention's: <c>10x64 self</c>, <c>10x64 96 keys</c>, <c>12x64 self causal</c>.</summary>
/// <param name="Heads">Heads.</param>
/// <param name="HeadWidth">Elements of a head's queries.</param>
/// <param name="Keys">Keys, as <see cref="ShapeBucket.Round"/> rounds them; null for as many as queries.</param>
/// <param name="Causal">Whether keys after the query are masked.</param>
internal sealed record AttentionShape(int Heads, int HeadWidth, int? Keys, bool Causal) : BucketShape
{
    /// <inheritdoc/>
    public override string ToString() => $"{Heads}x{HeadWidth} {(Keys is { } keys ? $"{keys} keys" : "self")}{(Causal ? " causal" : "")}";
}
