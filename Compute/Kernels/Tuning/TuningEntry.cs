namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>One measured result: the best way found to compute an op of a size class.</summary>
/// <param name="Op">The op's name.</param>
/// <param name="DTypes">Element types of its first two arguments: values and weights.</param>
/// <param name="Rows">The bucket's rows.</param>
/// <param name="Shape">What the model fixes.</param>
/// <param name="Revision">Of the op's kernels: a result of another one is not used.</param>
/// <param name="Variant">The kernel.</param>
/// <param name="Settings">Its parameters where they differ from their defaults.</param>
/// <param name="DefaultMicroseconds">Median time of the choice that is made without measuring.</param>
/// <param name="Microseconds">Median time of this choice, taken in turns with the other.</param>
public sealed record TuningEntry(
    string Op, [property: System.Text.Json.Serialization.JsonPropertyName("dtypes")] string DTypes, int Rows, string Shape, int Revision, string Variant, IReadOnlyDictionary<string, int> Settings, double DefaultMicroseconds, double Microseconds)
{
    /// <summary>How many times as fast as without measuring.</summary>
    public double Gain => DefaultMicroseconds / Microseconds;

    internal TuningKey Key => new(Op, DTypes, Shape, Revision);

    internal bool IsSound => Op is not null && DTypes is not null && Shape is not null && Variant is not null && Settings is not null && Rows > 0
        && Microseconds is > 0 and < double.PositiveInfinity && DefaultMicroseconds is > 0 and < double.PositiveInfinity;
}

/// <summary>What a result belongs to, apart from the rows.</summary>
internal readonly record struct TuningKey(string Op, string DTypes, string Shape, int Revision)
{
    private const int TypedArguments = 2;

    /// <summary>Key and rows of a call; null where its op has nothing to tune.</summary>
    public static (TuningKey Key, int Rows)? Of(OpSignature signature) => signature.Op.Bucket(signature) is { } bucket
        ? (new(signature.Op.Name, string.Join(",", signature.Inputs.Take(TypedArguments).Select(i => i.DType)), bucket.Shape, signature.Op.Kernels.TuningRevision), bucket.Rows)
        : null;
}
