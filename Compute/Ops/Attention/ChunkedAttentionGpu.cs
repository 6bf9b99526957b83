using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Launches of <see cref="ChunkedAttention"/>: three per chunk of keys.</summary>
internal static class ChunkedAttentionGpu
{
    /// <summary>For any GPU: it needs no local memory.</summary>
    public static KernelVariant Variant { get; } =
        GpuKernel.Variant("gpu/chunks", _ => new GpuKernel(Stages, signature => Scratch.Of(signature).Bytes)) with
        {
            SupportsShape = signature => Scratch.Of(signature).Bytes <= int.MaxValue,
        };

    private static IEnumerable<LaunchSpecification> Stages(OpCall call)
    {
        var sizes = new AttentionSizes(call);
        var scratch = Scratch.Of(sizes.Batch * sizes.Heads, sizes.Queries, sizes.ValueDepth);
        int pairs = sizes.Batch * sizes.Heads, queries = scratch.Queries;
        long offset = 0;
        Tensor logits = Part(ChunkedAttention.Keys * queries), largest = Part(queries), sums = Part(queries), factors = Part(queries),
            results = Part(queries * scratch.Depth);
        Type[] elements = GpuElements.Of(sizes.Q.DType),
            logitTypes = [.. elements, Access.Of(Access.IsWide(sizes.Depth, sizes.Q, sizes.K))],
            valueTypes = [.. elements, Access.Of(Access.IsWide(sizes.ValueDepth, sizes.V))];
        int visible = sizes.Causal ? Math.Min(sizes.Keys, sizes.Queries) : sizes.Keys;
        for (int key0 = 0; key0 < visible; key0 += ChunkedAttention.Keys)
        {
            int count = Math.Min(ChunkedAttention.Keys, visible - key0), last = key0 + count == visible ? 1 : 0;
            yield return new(Source(nameof(ChunkedAttention.Logits), logitTypes),
                new GpuGrid(IntegerMath.CeilDiv(queries, ChunkedAttention.LogitQueries),
                    IntegerMath.CeilDiv(count, ChunkedAttention.LogitKeys), pairs),
                Counts(new GpuArguments().View("q", sizes.Q).View("k", sizes.K).View("logits", logits)).Int("depth", sizes.Depth)
                    .Int("heads", sizes.Heads).Int("qPitch", sizes.Q.RowPitch).Int("kPitch", sizes.K.RowPitch));
            yield return new(Source(nameof(ChunkedAttention.Weights), []),
                new GpuGrid(IntegerMath.CeilDiv(queries, ChunkedAttention.GroupSize), sizes.Heads, sizes.Batch),
                sizes.Weighting(Counts(new GpuArguments().View("logits", logits).View("largest", largest).View("sums", sums)
                    .View("factors", factors).View("mask", sizes.Mask)).Int("heads", sizes.Heads)));
            yield return new(Source(nameof(ChunkedAttention.Values), valueTypes),
                new GpuGrid(IntegerMath.CeilDiv(queries, ChunkedAttention.ValueQueries),
                    IntegerMath.CeilDiv(scratch.Depth, ChunkedAttention.ValueColumns), pairs),
                Counts(new GpuArguments().View("weights", logits).View("v", sizes.V).View("results", results).View("sums", sums)
                    .View("factors", factors).View("y", call.Output)).Int("valueDepth", sizes.ValueDepth)
                    .Int("packedDepth", scratch.Depth).Int("heads", sizes.Heads).Int("vPitch", sizes.V.RowPitch)
                    .Int("yPitch", call.Output.RowPitch).Int("last", last));

            GpuArguments Counts(GpuArguments views) => views.Int("queries", sizes.Queries).Int("packedQueries", queries)
                .Int("keys", sizes.Keys).Int("key0", key0).Int("count", count);
        }

        KernelSource Source(string name, Type[] types) =>
            KernelSource.Of(typeof(ChunkedAttention), name, ChunkedAttention.GroupSize, types);

        Tensor Part(int elements)
        {
            var part = new Tensor(call.Scratch!.Buffer, call.Scratch.Offset + offset, DType.Float32, [pairs, elements]);
            offset += part.Shape.Count * sizeof(float);
            return part;
        }
    }

    /// <summary>What the launches keep between chunks.</summary>
    /// <param name="Pairs">Entries times heads.</param>
    /// <param name="Queries">Queries, padded to whole vectors.</param>
    /// <param name="Depth">Width of a head of values, padded to whole vectors.</param>
    private readonly record struct Scratch(int Pairs, int Queries, int Depth)
    {
        /// <summary>Logits of a chunk, three statistics and the sums, for each query.</summary>
        public long Bytes => (long)Pairs * Queries * (ChunkedAttention.Keys + 3 + Depth) * sizeof(float);

        public static Scratch Of(int pairs, int queries, int depth) =>
            new(pairs, IntegerMath.RoundUp(queries, Access.Width), IntegerMath.RoundUp(depth, Access.Width));

        public static Scratch Of(OpSignature signature)
        {
            Shape q = signature.Inputs[0].Concrete(), v = signature.Inputs[2].Concrete();
            int heads = ((ScaledDotProductAttention)signature.Op).Heads, batch = Math.Max(1, q[0]);
            return Of(batch * heads, q.Rows / batch, v.Last / heads);
        }
    }
}
