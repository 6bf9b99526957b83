using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Variants and arguments of the GPU attention kernels.</summary>
internal static class AttentionGpu
{
    /// <summary>
    /// The variant for heads of any size on tensor cores: the kernel of OpenCL sub-groups, in the register layout of CUDA warps.
    /// </summary>
    public const string LargeHeads = "cuda/matrices";

    private const int PackGroup = 64;

    public static KernelVariant[] Variants { get; } =
    [
        GpuKernel.Variant("gpu/panels", _ => new GpuKernel(Panels, ScratchBytes)) with
        {
            SupportsDevice = GpuKernel.IsProcessor,
            SupportsShape = signature =>
                signature.Inputs[2].Concrete().Last / ((ScaledDotProductAttention)signature.Op).Heads <= PanelAttention.MostValueDepth,
        },
        new(MatrixUnitVariant.TensorCores.Name, Backends.Cuda, (_, _) => new GpuKernel(call => [TensorCores(call)]))
        {
            SupportsDevice = HasTensorCores,
            SupportsTypes = Is16Bit,
            SupportsShape = signature => LargestHead(signature) <= TensorCoreAttention.MostDepth,
        },
        new(LargeHeads, Backends.Cuda, (_, _) => new GpuKernel(call => [SubGroups(call)])) { SupportsDevice = HasTensorCores,
            SupportsTypes = Is16Bit },
        new(MatrixUnitVariant.SubGroups.Name, Backends.OpenCL, (_, _) => new GpuKernel(call => [SubGroups(call)]))
        {
            SupportsDevice = device =>
                MatrixUnitVariant.SubGroups.Supports(device, MatrixTypes.Float16 | MatrixTypes.BFloat16)
                    && ((GpuDevice)device).Target.LocalMemoryBytes >= SubGroupAttention.LocalBytes,
            SupportsTypes = Is16Bit,
        },
        GpuKernel.Variant("gpu/tiles", _ => new GpuKernel(call => [Tiles(call)])) with { SupportsDevice = HoldsTiles },
    ];

    private static bool HoldsTiles(Device device) => ((GpuDevice)device).Target is var target
        && target.LocalMemoryBytes >= TiledAttention.LocalBytes && target.MaxGroupSize >= TiledAttention.GroupSize;

    private static bool HasTensorCores(Device device) => MatrixUnitVariant.TensorCores.Supports(device, MatrixTypes.Float16);

    private static bool Is16Bit(OpSignature signature) => signature.Inputs[0].DType is DType.Float16 or DType.BFloat16;

    private static int LargestHead(OpSignature signature) =>
        Math.Max(signature.Inputs[0].Concrete().Last, signature.Inputs[2].Concrete().Last)
            / ((ScaledDotProductAttention)signature.Op).Heads;

    private static LaunchSpecification Tiles(OpCall call)
    {
        var sizes = new AttentionSizes(call);
        int columnGroups = IntegerMath.CeilDiv(sizes.ValueDepth, TiledAttention.Columns);
        var source = KernelSource.Of(typeof(TiledAttention), nameof(TiledAttention.Kernel), TiledAttention.GroupSize,
            GpuElements.Of(sizes.Q.DType));
        return new(source, new GpuGrid(IntegerMath.CeilDiv(sizes.Queries, TiledAttention.Queries), sizes.Heads * columnGroups, sizes.Batch),
            sizes.Weighting(sizes.Pitches(sizes.Tensors().Int("columnGroups", columnGroups))));
    }

    private static LaunchSpecification TensorCores(OpCall call)
    {
        var sizes = new AttentionSizes(call);
        var source = KernelSource.Of(typeof(TensorCoreAttention), nameof(TensorCoreAttention.Kernel), TensorCoreAttention.GroupSize,
            [.. sizes.TypeArguments(), sizes.Parts]) with
        {
            GroupsPerProcessor = TensorCoreAttention.GroupsPerProcessor,
        };
        return new(source, new GpuGrid(IntegerMath.CeilDiv(sizes.Queries, TensorCoreAttention.Queries), sizes.Heads, sizes.Batch),
            sizes.Weighting(sizes.Pitches(sizes.Tensors())));
    }

    private static LaunchSpecification SubGroups(OpCall call)
    {
        var sizes = new AttentionSizes(call);
        int columnGroups = IntegerMath.CeilDiv(sizes.ValueDepth, SubGroupAttention.Columns);
        Type layout = MatrixLayouts.Of(((GpuDevice)call.Device).Target.Features.MatrixUnit)!;
        var source = KernelSource.Of(typeof(SubGroupAttention), nameof(SubGroupAttention.Kernel), SubGroupAttention.GroupSize,
            [layout, .. sizes.TypeArguments(), sizes.Parts]);
        return new(source, new GpuGrid(IntegerMath.CeilDiv(sizes.Queries, SubGroupAttention.Queries), sizes.Heads * columnGroups,
            sizes.Batch),
            sizes.Weighting(sizes.Pitches(sizes.Tensors().Int("columnGroups", columnGroups))));
    }

    private static IEnumerable<LaunchSpecification> Panels(OpCall call)
    {
        var sizes = new AttentionSizes(call);
        Type[] elements = GpuElements.Of(sizes.Q.DType);
        int pairs = sizes.Batch * sizes.Heads, chunks = IntegerMath.CeilDiv(sizes.ValueDepth, PanelAttention.Lanes),
            width = chunks * PanelAttention.Lanes;
        int packedQueries = Packed(sizes.Queries), packedKeys = Packed(sizes.Keys);
        long offset = 0;
        Tensor q = Part(packedQueries, sizes.Depth), k = Part(packedKeys, sizes.Depth), v = Part(sizes.Keys, width);
        yield return Pack(sizes.Q, q, sizes.Queries, packedQueries);
        yield return Pack(sizes.K, k, sizes.Keys, packedKeys);
        yield return new(
            KernelSource.Of(typeof(PanelAttention), nameof(PanelAttention.PackValues), PackGroup, elements),
                GpuGrid.Over((long)pairs * sizes.Keys, PackGroup),
            new GpuArguments().View("x", sizes.V).View("rows", v).Int("tokens", sizes.Keys).Int("heads", sizes.Heads)
                .Int("batch", sizes.Batch)
                .Int("depth", sizes.ValueDepth).Int("packedDepth", width).Int("pitch", sizes.V.RowPitch));
        var arguments = new GpuArguments().View("q", q).View("k", k).View("v", v).View("mask", sizes.Mask).View("y", call.Output)
            .Int("queries", sizes.Queries).Int("packedQueries", packedQueries).Int("keys", sizes.Keys).Int("packedKeys", packedKeys)
            .Int("depth", sizes.Depth).Int("valueDepth", sizes.ValueDepth).Int("chunks", chunks).Int("heads", sizes.Heads)
            .Int("yPitch", call.Output.RowPitch);
        yield return new(
            KernelSource.Of(typeof(PanelAttention), nameof(PanelAttention.Kernel), 1, elements),
            new GpuGrid(packedQueries / PanelAttention.Queries, sizes.Heads, sizes.Batch), sizes.Weighting(arguments));

        Tensor Part(int rows, int columns)
        {
            var part = new Tensor(call.Scratch!.Buffer, call.Scratch.Offset + offset, DType.Float32, [pairs * rows, columns]);
            offset += part.Shape.Count * sizeof(float);
            return part;
        }

        LaunchSpecification Pack(Tensor x, Tensor panels, int tokens, int packed) => new(
            KernelSource.Of(typeof(PanelAttention), nameof(PanelAttention.Pack), PackGroup, elements),
                GpuGrid.Over((long)pairs * packed, PackGroup),
            new GpuArguments().View("x", x).View("panels", panels).Int("tokens", tokens).Int("packedTokens", packed)
                .Int("heads", sizes.Heads).Int("batch", sizes.Batch).Int("depth", sizes.Depth).Int("pitch", x.RowPitch));
    }

    private static long ScratchBytes(OpSignature signature)
    {
        Shape q = signature.Inputs[0].Concrete(), k = signature.Inputs[1].Concrete(), v = signature.Inputs[2].Concrete();
        int heads = ((ScaledDotProductAttention)signature.Op).Heads, batch = Math.Max(1, q[0]), keys = k.Rows / batch;
        long width = (long)IntegerMath.CeilDiv(v.Last / heads, PanelAttention.Lanes) * PanelAttention.Lanes;
        return batch * sizeof(float) * (((long)Packed(q.Rows / batch) + Packed(keys)) * q.Last + keys * width * heads);
    }

    private static int Packed(int tokens) => IntegerMath.CeilDiv(tokens, PanelAttention.Lanes) * PanelAttention.Lanes;
}
