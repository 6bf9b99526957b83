using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>The type that a component computes in.</summary>
/// <param name="Component">Its name in the model's folder, such as <c>vae</c>.</param>
/// <param name="DType">The type of its activations; sums are Float32 in every type.</param>
/// <param name="Stored">The types that its matrices are stored in; none if no weights were loaded.</param>
/// <param name="Reason">Why this type.</param>
public sealed record ComponentPrecision(string Component, DType DType, IReadOnlyList<DType> Stored, string Reason)
{
    /// <summary>How Float32 numbers are multiplied; <see cref="Float32Precision.Highest"/> for other types.</summary>
    public Float32Precision Float32Precision { get; init; }

    /// <summary>The reason of a type that somebody asked for.</summary>
    internal const string Requested = "requested";

    /// <summary>The reason of an autoencoder that computes in Float32 beside models in Float16.</summary>
    internal const string ForceUpcast = "its configuration has force_upcast: Float16 overflows in it";

    /// <summary>The types of a layer's matrices in their files.</summary>
    internal static IReadOnlyList<DType> StoredIn(Layer model) =>
        [.. model.Parameters.Where(p => p.Shape.Rank > 1).Select(p => p.Tensor.DType).Distinct().Order()];

    /// <summary>In one line.</summary>
    public override string ToString() =>
        $"{Component} {DType}{(Float32Precision == Float32Precision.TensorFloat32 ? " multiplied as TF32" : "")} "
            + $"({(Stored.Count == 0 ? "" : $"stored in {string.Join(" and ", Stored)}; ")}{Reason})";
}
