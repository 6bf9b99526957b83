using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>One tuning result: the best choice found for an op and size class.</summary>
/// <param name="Op">The op's name, with <c> tf32</c> behind it for <see cref="Float32Precision.TensorFloat32"/>.</param>
/// <param name="DTypes">Element types of its first two arguments, values and weights, such as <c>Float32,BFloat16</c>.</param>
/// <param name="Rows">The bucket's rows.</param>
/// <param name="Shape">What the model fixes, such as <c>640→1280</c>.</param>
/// <param name="Revision">Tuning revision of the op's kernels; results of another revision are not used.</param>
/// <param name="Variant">The kernel variant.</param>
/// <param name="Settings">Its settings that differ from the defaults.</param>
/// <param name="DefaultMicroseconds">Median time of the untuned choice.</param>
/// <param name="Microseconds">Median time of this choice, timed in alternation with the untuned one.</param>
public sealed record TuningEntry(
    string Op, [property: System.Text.Json.Serialization.JsonPropertyName("dtypes")]
    string DTypes, int Rows, string Shape, int Revision, string Variant, IReadOnlyDictionary<string, int> Settings,
        double DefaultMicroseconds, double Microseconds)
{
    /// <summary>Speed relative to the untuned choice.</summary>
    public double Gain => DefaultMicroseconds / Microseconds;

    /// <summary>Op, types and shape as a key.</summary>
    /// <exception cref="FormatException">The text of the types or of the shape cannot be parsed.</exception>
    internal TuningKey Key => TuningKey.Of(this) ?? throw new FormatException("an entry has types or a shape that cannot be");

    /// <summary>Whether it is a choice, measured or not.</summary>
    internal bool IsSoundChoice =>
        Op is not null && DTypes is not null && Shape is not null && Variant is not null && Settings is not null && Rows > 0
        && TuningKey.Of(this) is not null;

    internal bool IsSound =>
        IsSoundChoice
        && Microseconds is > 0 and < double.PositiveInfinity && DefaultMicroseconds is > 0 and < double.PositiveInfinity;
}

/// <summary>The key of a result, apart from the rows.</summary>
internal readonly record struct TuningKey(string Op, ValueArray<DType> DTypes, BucketShape Shape, int Revision)
{
    private const int TypedArguments = 2;
    private const string TensorFloat32Suffix = " tf32";
    private static readonly Dictionary<string, DType> DTypeNames =
        Enum.GetValues<DType>().ToDictionary(type => type.ToString(), StringComparer.Ordinal);

    /// <summary>Key and rows of a call; null if its op has nothing to tune.</summary>
    public static (TuningKey Key, int Rows)? Of(OpSignature signature) => signature.Op.Bucket(signature) is { } bucket
        ? (new(Name(signature), Types(signature), bucket.Shape, signature.Op.Kernels.TuningRevision), bucket.Rows)
        : null;

    /// <summary>The key of a result; null if the text of its types or of its shape cannot be parsed.</summary>
    public static TuningKey? Of(TuningEntry entry)
    {
        DType?[] types = [.. entry.DTypes.Split(',').Select(name => DTypeNames.TryGetValue(name, out var type) ? type : (DType?)null)];
        return types.Contains(null) || BucketShape.Parse(entry.Shape) is not { } shape ? null
            : new(entry.Op, new([.. types.Select(type => type!.Value)]), shape, entry.Revision);
    }

    // Results of whole Float32 numbers are none for other precisions.
    private static string Name(OpSignature signature) =>
        signature.Op.Name + (signature.Float32Precision == Float32Precision.TensorFloat32 ? TensorFloat32Suffix : "");

    private static ValueArray<DType> Types(OpSignature signature) => new([.. signature.Inputs.Take(TypedArguments).Select(i => i.DType)]);
}
