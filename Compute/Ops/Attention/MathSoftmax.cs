using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using static ILGpuDiffusion.Compute.Ops.AttentionMath;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Softmax of one head's scores [queries, keys], in place: softmax(score · scale + mask), 0 for a row whose logits are all −∞. One row per
/// group on GPUs, and per step on CPUs.
/// </summary>
/// <param name="call">The attention's call.</param>
/// <param name="sizes">Its sizes.</param>
/// <param name="scores">The scores.</param>
/// <param name="entry">The entry of the batch.</param>
/// <param name="head">The head.</param>
internal sealed class MathSoftmax(OpCall call, AttentionSizes sizes, Tensor scores, int entry, int head) : IMathStage
{
    /// <inheritdoc/>
    public void Prepare()
    {
        if (call.Device is GpuDevice gpu) gpu.Begin(Source(gpu), call.Cancellation);
    }

    /// <inheritdoc/>
    public Launch Bind()
    {
        int maskStart = sizes.MaskStart(entry, head);
        if (call.Device is not GpuDevice gpu)
            return SimdWidth.Bits == 512 ? new Rows<Simd512>(call, sizes, scores, maskStart)
                : SimdWidth.Bits >= 256 ? new Rows<Simd256>(call, sizes, scores, maskStart)
                : new Rows<Simd128>(call, sizes, scores, maskStart);
        var arguments = new GpuArguments().View("scores", scores).View("mask", sizes.Mask).Int("keys", sizes.Keys)
            .Int("masked", sizes.Mask is null ? 0 : 1).Int("maskStart", maskStart).Int("maskQuery", sizes.MaskQuery)
            .Int("causal", sizes.Causal ? 1 : 0).Float("scale", sizes.Scale);
        return new LaunchSpecification(Source(gpu), new GpuGrid(Math.Max(1, sizes.Queries)), arguments).Bind(gpu, call, call.Cancellation);
    }

    internal static void Kernel<TLanes>(ArrayView<float> scores, ArrayView<float> mask, int keys, int masked, int maskStart, int maskQuery,
        int causal, float scale) where TLanes : struct, IGroupLanes
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        int query = Grid.IdxX, start = query * keys, maskRow = maskStart + query * maskQuery,
            visible = causal != 0 ? Math.Min(keys, query + 1) : keys;
        float most = float.MinValue; // finite, so that a row of −∞ gives weights of 0
        for (int key = Group.IdxX; key < visible; key += TLanes.Count)
        {
            float logit = scores[start + key] * scale;
            if (masked != 0) logit += mask[maskRow + key];
            scores[start + key] = logit;
            most = Larger(logit, most);
        }

        most = Reduction.Max<TLanes>(most, shared);
        float sum = 0f;
        for (int key = Group.IdxX; key < visible; key += TLanes.Count)
        {
            float weight = DeviceMath.Exp2((scores[start + key] - most) * Log2E);
            scores[start + key] = weight;
            sum += weight;
        }

        sum = Reduction.Sum<TLanes>(sum, shared);
        float inverse = sum > 0f ? 1f / sum : 0f;
        for (int key = Group.IdxX; key < keys; key += TLanes.Count)
            scores[start + key] = key < visible ? scores[start + key] * inverse : 0f;
    }

    private static KernelSource Source(GpuDevice device)
    {
        var lanes = GroupLanes.Of(device.Target);
        return KernelSource.Of(typeof(MathSoftmax), nameof(Kernel), lanes.Count, lanes.Type);
    }

    private sealed unsafe class Rows<V>(OpCall call, AttentionSizes sizes, Tensor scores, int maskStart)
        : RowLaunch(call, sizes.Queries, sizes.Keys) where V : struct, ISimd<V>
    {
        [MethodImpl(Jit.Kernel)]
        protected override void Row(int query)
        {
            float* x = scores.Pointer<float>() + (nint)query * scores.RowPitch,
                added = sizes.Mask is { } mask ? mask.Pointer<float>() + maskStart + (nint)query * sizes.MaskQuery : null;
            int visible = sizes.Causal ? Math.Min(sizes.Keys, query + 1) : sizes.Keys, whole = visible / V.Count * V.Count;
            V scale = V.Create(sizes.Scale), max = V.Create(OnlineSoftmax.NoLogit);
            for (int i = 0; i < visible; i += V.Count)
            {
                V logit = Load(x, i, visible, 0) * scale;
                if (added is not null) logit += Load(added, i, visible, 0);
                if (i < whole) V.Store(logit, x + i);
                else Simd.StorePartial(logit, x + i, visible - i);
                max = V.Max(max, i < whole ? logit : Load(x, i, visible, float.NegativeInfinity));
            }

            V most = V.Create(V.Max(max)), sums = V.Create(0f);
            for (int i = 0; i < visible; i += V.Count)
            {
                V weight = VectorMath.Exp(Load(x, i, visible, float.NegativeInfinity) - most);
                if (i < whole) V.Store(weight, x + i);
                else Simd.StorePartial(weight, x + i, visible - i);
                sums += weight;
            }

            float sum = V.Sum(sums);
            System.Numerics.Tensors.TensorPrimitives.Multiply(new ReadOnlySpan<float>(x, visible), sum > 0 ? 1 / sum : 0,
                new Span<float>(x, visible));
            new Span<float>(x + visible, sizes.Keys - visible).Clear();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static V Load(float* x, int i, int count, float missing) =>
            i + V.Count <= count ? V.Load(x + i) : Simd.LoadPartial<V>(x + i, count - i, missing);
    }
}
