using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Placeholder of a region while the rest is compiled: no pass knows it, so none changes it. <see cref="RegionCompiler"/> replaces it by
/// the compiled ops before plans are made.
/// </summary>
internal sealed record RegionOp(Region Region, CompiledBlock Block) : Op
{
    private static readonly KernelSet None = new("region");

    public override KernelSet Kernels => None;

    public override TensorType Infer(ReadOnlySpan<TensorType> inputs) => Region.Call.Result.Type;

    // Two calls are equal only if they are the same: their weights differ.
    public bool Equals(RegionOp? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
