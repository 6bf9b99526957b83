using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// Transforms one panel of 3×3 kernels into right operands: one matrix [channels, columns] per position. It is done anew in every run, because
/// transformed weights take four times the memory of stored float32 ones, eight times that of 16-bit ones.
/// </summary>
internal sealed unsafe class WinogradWeights<V> where V : struct, ISimd<V>
{
    private const int Taps = 9;
    private const int Step = 24; // channels unpacked at a time: 27 KiB with 512-bit registers; not a power of two, whose taps would share cache sets
    private readonly Packer packer;
    private readonly byte* weights;
    private readonly nint rowBytes;
    private readonly int outputs, columns;

    /// <summary>Weights [co, ci, 3, 3], cut into panels of <paramref name="columns"/> result channels.</summary>
    public WinogradWeights(Tensor w, int columns)
    {
        (packer, this.columns, outputs) = (Packer.For(w.DType), columns, w.Shape[0]);
        weights = w.Pointer<byte>();
        rowBytes = (nint)w.Shape[1] * Taps * w.DType.Size();
    }

    /// <summary>Floats of working memory that <see cref="Transform"/> needs.</summary>
    public int WorkElements => Taps * Step * columns;

    /// <summary>Transforms a panel. Columns past the last repeat it: their results go nowhere.</summary>
    /// <param name="column">The panel's first result channel.</param>
    /// <param name="channel">First input channel.</param>
    /// <param name="channels">Number of input channels.</param>
    /// <param name="work">Working memory, [taps, step, columns].</param>
    /// <param name="target">Receives [positions, channels, columns].</param>
    /// <param name="positionPitch">Elements from one position to the next.</param>
    [SkipLocalsInit]
    public void Transform(int column, int channel, int channels, float* work, float* target, nint positionPitch)
    {
        byte** rows = stackalloc byte*[columns];
        for (int i = 0; i < columns; i++) rows[i] = weights + Math.Min(column + i, outputs - 1) * rowBytes;
        for (int first = 0; first < channels; first += Step)
        {
            int count = Math.Min(Step, channels - first);
            packer.PackTaps(rows, columns, channel + first, count, Taps, work, columns);
            TransformKernels(work, count * columns, target + (nint)first * columns, positionPitch);
        }
    }

    /// <summary>G g Gᵀ; each lane is a kernel.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void TransformKernels(float* source, nint count, float* target, nint pitch)
    {
        float* memory = stackalloc float[(WinogradGrid.PatchSide * 3 + 1) * WinogradTransforms.MostLanes], columns = WinogradTransforms.Align(memory);
        for (float* end = source + count; source < end; source += V.Count, target += V.Count)
        {
            for (int x = 0; x < 3; x++)
            {
                float* g = source + x * count, to = columns + x * V.Count;
                WinogradTransforms.Weights(V.Load(g), V.Load(g + 3 * count), V.Load(g + 6 * count), out V v0, out V v1, out V v2, out V v3, out V v4, out V v5);
                WinogradTransforms.Store(to, 3 * V.Count, v0, v1, v2, v3, v4, v5);
            }

            for (int y = 0; y < WinogradGrid.PatchSide; y++)
            {
                float* row = columns + y * 3 * V.Count;
                WinogradTransforms.Weights(V.Load(row), V.Load(row + V.Count), V.Load(row + 2 * V.Count), out V v0, out V v1, out V v2, out V v3, out V v4, out V v5);
                WinogradTransforms.Store(target + y * WinogradGrid.PatchSide * pitch, pitch, v0, v1, v2, v3, v4, v5);
            }
        }
    }
}
