using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Transforms one panel of 3×3 kernels into right operands, in the layout of <see cref="WinogradGemm{V}"/>: one matrix [channels, columns]
/// per position. Unless the transforms are kept, this is repeated in every run, because transformed weights take four times the memory of
/// float32 ones, and eight times that of 16-bit ones.
/// </summary>
internal sealed unsafe class WinogradWeights<V> where V : struct, ISimd<V>
{
    private const int KernelPositions = 9;
    private const int Step = WinogradGrid.ChannelStep;
    private readonly Packer packer;
    private readonly byte* weights;
    private readonly nint rowBytes;
    private readonly int outputs, columns, tapBytes; // of all positions of a channel

    /// <summary>Weights [co, ci, 3, 3], cut into panels of <paramref name="columns"/> result channels.</summary>
    public WinogradWeights(Tensor w, int columns)
    {
        (packer, this.columns, outputs) = (Packer.For(w.DType), columns, w.Shape[0]);
        weights = w.Pointer<byte>();
        tapBytes = KernelPositions * w.DType.Size();
        rowBytes = (nint)w.Shape[1] * tapBytes;
    }

    /// <summary>Scratch floats of <see cref="Transform"/>.</summary>
    public int WorkElements => KernelPositions * Step * columns;

    /// <summary>Transforms a panel. Columns past the last repeat it; their results are discarded.</summary>
    /// <param name="column">The panel's first result channel.</param>
    /// <param name="channel">First input channel.</param>
    /// <param name="channels">Number of input channels.</param>
    /// <param name="work">Scratch memory, [positions, step, columns].</param>
    /// <param name="target">Receives [step, positions, channels of a step, columns].</param>
    /// <param name="grid">Its pitches.</param>
    [SkipLocalsInit]
    public void Transform(int column, int channel, int channels, float* work, float* target, in WinogradGrid grid)
    {
        byte** rows = stackalloc byte*[columns];
        for (int i = 0; i < columns; i++) rows[i] = weights + Math.Min(column + i, outputs - 1) * rowBytes;
        for (int first = 0; first < channels; first += Step, target += grid.PanelStep)
        {
            int count = Math.Min(Step, channels - first);
            if (first + Step < channels)
                PrefetchRows(rows, columns, (nint)(channel + first + Step) * tapBytes, Math.Min(Step, channels - first - Step) * tapBytes);
            packer.PackKernelPositions(rows, columns, channel + first, count, KernelPositions, work, columns);
            TransformKernels(work, count * columns, target, grid.PanelPosition);
        }
    }

    /// <summary>Prefetches the next step's weights, short runs of many rows, which hardware prefetchers do not detect.</summary>
    [MethodImpl(Jit.Kernel)]
    private static void PrefetchRows(byte** rows, int count, nint first, nint bytes)
    {
        const int CacheLine = 64;
        if (!Sse.IsSupported) return;
        for (int i = 0; i < count; i++)
        {
            for (byte* line = rows[i] + first, end = line + bytes; line < end; line += CacheLine) Sse.Prefetch0(line);
        }
    }

    /// <summary>G g Gᵀ; each lane is a kernel.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void TransformKernels(float* source, nint count, float* target, nint pitch)
    {
        float* memory = stackalloc float[(WinogradGrid.PatchSide * 3 + 1) * WinogradTransforms.MostLanes],
            columns = WinogradTransforms.Align(memory);
        for (float* end = source + count; source < end; source += V.Count, target += V.Count)
        {
            for (int x = 0; x < 3; x++)
            {
                float* g = source + x * count, to = columns + x * V.Count;
                WinogradTransforms.Weights(V.Load(g), V.Load(g + 3 * count), V.Load(g + 6 * count), out V v0, out V v1, out V v2, out V v3,
                    out V v4, out V v5);
                WinogradTransforms.Store(to, 3 * V.Count, v0, v1, v2, v3, v4, v5);
            }

            for (int y = 0; y < WinogradGrid.PatchSide; y++)
            {
                float* row = columns + y * 3 * V.Count;
                WinogradTransforms.Weights(V.Load(row), V.Load(row + V.Count), V.Load(row + 2 * V.Count), out V v0, out V v1, out V v2,
                    out V v3, out V v4, out V v5);
                WinogradTransforms.Store(target + y * WinogradGrid.PatchSide * pitch, pitch, v0, v1, v2, v3, v4, v5);
            }
        }
    }
}
