using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Transforms patches of 6×6 pixels, which overlap by two, into left operands: one matrix [tiles, channels] per position, in the layout of
/// <see cref="WinogradGemm{V}"/>.
/// </summary>
internal sealed unsafe class WinogradInput<V> where V : struct, ISimd<V>
{
    private const int Step = WinogradGrid.ChannelStep, Positions = WinogradGrid.Positions;
    private readonly WinogradGrid grid;
    private readonly SeenImage image;
    private readonly int padding;
    private readonly nint nextGroup; // elements from a tile's pixels to those of the corresponding tile of the next group

    /// <summary>
    /// Describes the patches of an image [n, h, w, c] with <paramref name="padding"/> rows and columns of zeros before it.
    /// </summary>
    public WinogradInput(SeenImage image, int padding, WinogradGrid grid)
    {
        (this.image, this.padding, this.grid) = (image, padding, grid);
        nextGroup = grid.GroupTiles * WinogradGrid.TileSide / (image.IsWhole ? 1 : 2) * image.Pitch;
    }

    /// <summary>Transforms one group of tiles for one block of channels.</summary>
    /// <param name="firstTile">The group's first tile, counted over all images.</param>
    /// <param name="tiles">Number of tiles; the group's remaining rows are zero.</param>
    /// <param name="group">Index of the group in the block of tiles.</param>
    /// <param name="channelBlock">Block of channels.</param>
    /// <param name="target">The block's transformed tiles.</param>
    [SkipLocalsInit]
    public void Transform(int firstTile, int tiles, int group, int channelBlock, float* target)
    {
        float** pixels = stackalloc float*[grid.GroupTiles * Positions], ends = stackalloc float*[Positions];
        float* edge = stackalloc float[Positions * Step];
        for (int i = 0; i < grid.GroupTiles; i++)
        {
            if (i < tiles) Find(firstTile + i, pixels + i * Positions);
            else new Span<nint>(pixels + i * Positions, Positions).Fill((nint)image.Zeros);
        }

        int first = channelBlock * grid.ChannelsPerBlock, last = Math.Min(first + grid.ChannelsPerBlock, grid.Channels);
        for (int channel = first; channel < last; channel += Step)
        {
            int count = Math.Min(Step, last - channel);
            float* to = target + group * grid.GroupElements + channel / Step * grid.InputStep;
            nint ahead = channel + Step < last ? Step : nextGroup - (channel - first);
            for (int i = 0; i < grid.GroupTiles; i++, to += Step)
            {
                if (count == Step) TransformPatch(pixels + i * Positions, channel, ahead, to, grid.InputPosition);
                else
                {
                    Fill(pixels + i * Positions, channel, count, edge, ends);
                    TransformPatch(ends, 0, 0, to, grid.InputPosition);
                }
            }
        }
    }

    /// <summary>Copies the last channels of a patch's pixels, if fewer than a step, and zero-pads them.</summary>
    private static void Fill(float** pixels, int channel, int count, float* edge, float** ends)
    {
        for (int i = 0; i < Positions; i++)
        {
            var lanes = new Span<float>(ends[i] = edge + i * Step, Step);
            lanes.Clear();
            new ReadOnlySpan<float>(pixels[i] + channel, count).CopyTo(lanes);
        }
    }

    /// <summary>The addresses of a patch's pixels; outside the image they are zeros.</summary>
    private void Find(int tile, float** pixels)
    {
        int left = tile % grid.TilesAcross * WinogradGrid.TileSide - padding, row = tile / grid.TilesAcross;
        int top = row % grid.TilesDown * WinogradGrid.TileSide - padding, n = row / grid.TilesDown;
        for (int y = top; y < top + WinogradGrid.PatchSide; y++)
        {
            for (int x = left; x < left + WinogradGrid.PatchSide; x++) *pixels++ = image.At(n, y, x);
        }
    }

    /// <summary>Bᵀ d B of one patch; each lane is a channel.</summary>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private static void TransformPatch(float** pixels, nint channel, nint ahead, float* target, nint pitch)
    {
        const int Side = WinogradGrid.PatchSide;
        float* memory = stackalloc float[(Positions + 1) * WinogradTransforms.MostLanes], columns = WinogradTransforms.Align(memory);
        Prefetch(pixels, channel + ahead);
        for (nint c = 0; c < Step; c += V.Count)
        {
            nint from = channel + c;
            for (int x = 0; x < Side; x++)
            {
                float* to = columns + x * V.Count;
                WinogradTransforms.Input(
                    V.Load(pixels[x] + from), V.Load(pixels[Side + x] + from), V.Load(pixels[2 * Side + x] + from),
                    V.Load(pixels[3 * Side + x] + from), V.Load(pixels[4 * Side + x] + from), V.Load(pixels[5 * Side + x] + from),
                    out V v0, out V v1, out V v2, out V v3, out V v4, out V v5);
                WinogradTransforms.Store(to, Side * V.Count, v0, v1, v2, v3, v4, v5);
            }

            for (int y = 0; y < Side; y++)
            {
                float* row = columns + y * Side * V.Count;
                WinogradTransforms.Input(
                    V.Load(row), V.Load(row + V.Count), V.Load(row + 2 * V.Count), V.Load(row + 3 * V.Count), V.Load(row + 4 * V.Count),
                        V.Load(row + 5 * V.Count),
                    out V v0, out V v1, out V v2, out V v3, out V v4, out V v5);
                WinogradTransforms.Store(target + y * Side * pitch + c, pitch, v0, v1, v2, v3, v4, v5);
            }
        }
    }

    /// <summary>
    /// Prefetches the next channels: the pixels are too far apart for hardware prefetchers. Each patch prefetches the pixels that its
    /// neighbours do not.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float** pixels, nint channel)
    {
        if (!Sse.IsSupported) return;
        for (int y = 0; y < WinogradGrid.TileSide; y++)
        {
            for (int x = 0; x < WinogradGrid.TileSide; x++) Sse.Prefetch1(pixels[y * WinogradGrid.PatchSide + x] + channel);
        }
    }
}
