using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// Stands for a region while what lies around it is compiled: no pass knows it, so none reaches into it. <see cref="RegionCompiler"/> puts
/// the compiled ops in its place; no plan ever sees one.
/// </summary>
internal sealed record RegionOp(Region Region, CompiledBlock Block) : Op
{
    private static readonly KernelSet None = new("region");

    public override KernelSet Kernels => None;

    public override TensorType Infer(ReadOnlySpan<TensorType> inputs) => Region.Call.Result.Type;

    // Two calls are the same only if they are one: their weights differ.
    public bool Equals(RegionOp? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
