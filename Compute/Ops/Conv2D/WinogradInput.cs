using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute;

/// <summary>Transforms patches of 6×6 pixels, which overlap by two, and packs them as left operands: one matrix [tiles, channels] per position.</summary>
internal sealed unsafe class WinogradInput<V> where V : struct, ISimd<V>
{
    private readonly WinogradGrid grid;
    private readonly SeenImage image;
    private readonly int padding, packedRows;

    /// <summary>Describes the patches of an image [n, h, w, c] with <paramref name="padding"/> rows and columns of zeros before it.</summary>
    public WinogradInput(SeenImage image, int padding, WinogradGrid grid)
    {
        (this.image, this.padding, this.grid) = (image, padding, grid);
        packedRows = (grid.GroupTiles + Packer.RowGroup - 1) / Packer.RowGroup * Packer.RowGroup;
    }

    /// <summary>Floats of working memory that <see cref="Transform"/> needs.</summary>
    public int WorkElements => WinogradGrid.Positions * grid.GroupTiles * WinogradGrid.ChannelStep;

    /// <summary>Transforms one group of tiles for one block of channels.</summary>
    /// <param name="firstTile">The group's first tile, counted over all images.</param>
    /// <param name="tiles">How many tiles exist; the group's further rows repeat the last.</param>
    /// <param name="group">The group's place in the block of tiles.</param>
    /// <param name="channelBlock">Which channels.</param>
    /// <param name="work">Working memory, [positions, tiles, step].</param>
    /// <param name="target">The block's transformed tiles.</param>
    [SkipLocalsInit]
    public void Transform(int firstTile, int tiles, int group, int channelBlock, float* work, float* target)
    {
        const int Step = WinogradGrid.ChannelStep;
        float** pixels = stackalloc float*[tiles * WinogradGrid.Positions];
        byte** rows = stackalloc byte*[packedRows];
        for (int i = 0; i < tiles; i++) Find(firstTile + i, pixels + i * WinogradGrid.Positions);
        nint positionPitch = grid.GroupTiles * Step;
        int first = channelBlock * grid.ChannelsPerBlock, last = Math.Min(first + grid.ChannelsPerBlock, grid.Channels);
        for (int channel = first; channel < last; channel += Step)
        {
            int count = Math.Min(Step, last - channel), sum = (channel - first) / grid.ChannelsPerSum;
            for (int i = 0; i < tiles; i++) TransformPatch(pixels + i * WinogradGrid.Positions, channel, count, work + i * Step, positionPitch);
            nint offset = (nint)(channel - first - sum * grid.ChannelsPerSum) * grid.GroupTiles;
            for (int position = 0; position < WinogradGrid.Positions; position++)
            {
                for (int i = 0; i < packedRows; i++) rows[i] = (byte*)(work + position * positionPitch + Math.Min(i, tiles - 1) * Step);
                Packer.Float32.Pack(rows, packedRows, 0, count, target + grid.InputOffset(channelBlock, position, sum, group) + offset, grid.GroupTiles);
            }
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
    private static void TransformPatch(float** pixels, nint channel, int channels, float* target, nint pitch)
    {
        const int Side = WinogradGrid.PatchSide;
        float* memory = stackalloc float[(WinogradGrid.Positions + 1) * WinogradTransforms.MostLanes], columns = WinogradTransforms.Align(memory);
        PrefetchNextStep(pixels, channel);
        for (int c = 0; c < channels; c += V.Count)
        {
            int lanes = channels - c;
            nint from = channel + c;
            for (int x = 0; x < Side; x++)
            {
                float* to = columns + x * V.Count;
                WinogradTransforms.Input(
                    Load(pixels[x] + from, lanes), Load(pixels[Side + x] + from, lanes), Load(pixels[2 * Side + x] + from, lanes),
                    Load(pixels[3 * Side + x] + from, lanes), Load(pixels[4 * Side + x] + from, lanes), Load(pixels[5 * Side + x] + from, lanes),
                    out V v0, out V v1, out V v2, out V v3, out V v4, out V v5);
                WinogradTransforms.Store(to, Side * V.Count, v0, v1, v2, v3, v4, v5);
            }

            for (int y = 0; y < Side; y++)
            {
                float* row = columns + y * Side * V.Count;
                WinogradTransforms.Input(
                    V.Load(row), V.Load(row + V.Count), V.Load(row + 2 * V.Count), V.Load(row + 3 * V.Count), V.Load(row + 4 * V.Count), V.Load(row + 5 * V.Count),
                    out V v0, out V v1, out V v2, out V v3, out V v4, out V v5);
                WinogradTransforms.Store(target + y * Side * pitch + c, pitch, v0, v1, v2, v3, v4, v5);
            }
        }
    }

    /// <summary>Pixels lie far apart: the processor does not see that their next channels are wanted. Each patch fetches what the next patches do not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchNextStep(float** pixels, nint channel)
    {
        if (!Sse.IsSupported) return;
        for (int y = 0; y < WinogradGrid.TileSide; y++)
        {
            for (int x = 0; x < WinogradGrid.TileSide; x++) Sse.Prefetch1(pixels[y * WinogradGrid.PatchSide + x] + channel + WinogradGrid.ChannelStep);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Load(float* source, int lanes) => lanes >= V.Count ? V.Load(source) : Simd.LoadPartial<V>(source, lanes);
}
