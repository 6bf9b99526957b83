using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Three kernels: moments of blocks of rows; an affine map y = (x − origin) · factor + summand per entry and channel; its application. A
/// block is read twice, for its mean and for the moments about it, while it is in the cache. Consecutive work items have consecutive
/// channels.
/// </summary>
internal static class GroupNormalizationGpu
{
    private const int MomentsPerBlock = 3; // the mean as a float, its rounding error, Σ (x − mean)²
    private const int LinesPerChannel = 3; // origin, factor, summand
    private const int ElementsPerItem = 32; // of a block: enough blocks for every processor, few enough to combine in one pass
    private const int RowsPerItem = 4;

    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/blocks", Compile);

    private static GpuKernel Compile(GpuTarget target, OpSignature signature)
    {
        var lanes = GroupLanes.Of(target);
        Type[] x = GpuElements.Of(signature.Output.DType),
            parameters = GpuElements.Of(signature.Inputs[1].DType, signature.Inputs[2].DType);
        var moments = KernelSource.Of(typeof(GroupNormalizationGpu), nameof(Moments), lanes.Count, [lanes.Type, .. x]);
        var lines = KernelSource.Of(typeof(GroupNormalizationGpu), nameof(Lines), lanes.Count, [lanes.Type, .. parameters]);
        return new GpuKernel(call => Stages(call, lanes.Count, moments, lines, x),
            s => ScratchElements(Blocks(s.Inputs[0].Concrete(), s.Op, lanes.Count)) * sizeof(float));
    }

    // As many channels as a group has work items.
    private static GroupNormalizationBlocks Blocks(Shape x, Op op, int lanes) =>
        new(x, ((GroupNormalization)op).Groups, lanes, ElementsPerItem * lanes);

    // Rounded up for access to four elements at once.
    private static long MomentElements(GroupNormalizationBlocks b) =>
        IntegerMath.RoundUp((long)MomentsPerBlock * b.Entries * b.Groups * b.Blocks, Access.Width);

    private static long ScratchElements(GroupNormalizationBlocks b) => MomentElements(b) + (long)LinesPerChannel * b.Entries * b.Channels;

    private static IEnumerable<LaunchSpecification> Stages(OpCall call, int lanes, KernelSource moments, KernelSource lines,
        Type[] elements)
    {
        var op = (GroupNormalization)call.Op;
        var (x, y) = (ElementGrid.Indexed(call.Inputs[0]), ElementGrid.Indexed(call.Output));
        var b = Blocks(x.Shape, op, lanes);
        var scratch = new Tensor(call.Scratch!.Buffer, call.Scratch.Offset, DType.Float32, [checked((int)ScratchElements(b))]);
        int linesAt = checked((int)MomentElements(b));
        yield return new(moments, new GpuGrid(b.Bundles * b.Blocks, b.Entries), new GpuArguments().View("x", x).View("scratch", scratch)
            .Int("rowsPerEntry", b.RowsPerEntry).Int("pitch", x.RowPitch).Int("groups", b.Groups).Int("groupChannels", b.GroupChannels)
            .Int("groupsPerBundle", b.GroupsPerBundle).Int("blocks", b.Blocks).Int("rowsPerBlock", b.RowsPerBlock));
        yield return new(lines, new GpuGrid(b.Groups, b.Entries), new GpuArguments()
            .View("scratch", scratch).View("weight", call.Inputs[1]).View("bias", call.Inputs[2])
            .Int("rowsPerEntry", b.RowsPerEntry).Int("groupChannels", b.GroupChannels).Int("blocks", b.Blocks)
            .Int("rowsPerBlock", b.RowsPerBlock).Int("linesAt", linesAt).Float("epsilon", (float)op.Epsilon));
        var (grid, access) = ElementGrid.Of(IntegerMath.CeilDiv(b.RowsPerEntry, RowsPerItem), b.Channels).Widened(call, x, y, scratch);
        var apply = KernelSource.Of(typeof(GroupNormalizationGpu), nameof(Apply), ElementGrid.GroupSize, [.. elements, access]);
        var views = new GpuArguments().View("x", x).View("scratch", scratch).View("y", y);
        var arguments = grid.Arguments(views, [("xPitch", x), ("yPitch", y)], widthName: "channels");
        yield return new(apply, grid.Groups with { Y = b.Entries }, arguments
            .Int("rowsPerEntry", b.RowsPerEntry).Int("linesAt", linesAt).Int("silu", op.Silu ? 1 : 0));
    }

    /// <summary>Grid: (bundle, block) of an entry: moments of each of the bundle's groups over the block.</summary>
    internal static void Moments<TLanes, T, E>(
        ArrayView<T> x, ArrayView<float> scratch, int rowsPerEntry, int pitch, int groups, int groupChannels, int groupsPerBundle,
        int blocks, int rowsPerBlock)
        where TLanes : struct, IGroupLanes where T : unmanaged where E : struct, IElement<T>
    {
        var sums = SharedMemory.Allocate<float>(TLanes.Count);
        var squares = SharedMemory.Allocate<float>(TLanes.Count);
        var means = SharedMemory.Allocate<float>(TLanes.Count);
        int block = Grid.IdxX % blocks, firstGroup = Grid.IdxX / blocks * groupsPerBundle, lane = Group.IdxX;
        int here = groups - firstGroup < groupsPerBundle ? groups - firstGroup : groupsPerBundle;
        int channels = here * groupChannels, firstRow = block * rowsPerBlock,
            lastRow = firstRow + rowsPerBlock < rowsPerEntry ? firstRow + rowsPerBlock : rowsPerEntry;

        // Work items per row of the block. A group with more channels than work items is alone in its bundle; work items then loop over the
        // channels.
        int columns = channels < TLanes.Count ? channels : TLanes.Count, rowLanes = TLanes.Count / columns;
        int column = lane % columns, rowLane = lane / columns, own = groupChannels < columns ? groupChannels : columns;
        int start = rowLane < rowLanes ? firstRow + rowLane : lastRow; // surplus work items have no rows
        int corner = Grid.IdxY * rowsPerEntry * pitch + firstGroup * groupChannels;

        float sum = 0f;
        for (int row = start; row < lastRow; row += rowLanes)
            for (int c = column; c < channels; c += columns) sum += E.Widen(x[corner + row * pitch + c]);
        sums[lane] = sum;
        Block.Sync();
        float count = (float)(lastRow - firstRow) * groupChannels;
        if (lane < here) means[lane] = Total(sums, lane * own, own, columns, rowLanes) / count;
        Block.Sync();

        float origin = means[column / own], first = 0f, second = 0f;
        for (int row = start; row < lastRow; row += rowLanes)
        {
            for (int c = column; c < channels; c += columns)
            {
                float value = E.Widen(x[corner + row * pitch + c]) - origin;
                first += value;
                second = DeviceMath.Fma(value, value, second);
            }
        }

        sums[lane] = first;
        squares[lane] = second;
        Block.Sync();
        if (lane >= here) return;
        float total = Total(sums, lane * own, own, columns, rowLanes),
            square = Total(squares, lane * own, own, columns, rowLanes) - total * total / count;
        int at = ((Grid.IdxY * groups + firstGroup + lane) * blocks + block) * MomentsPerBlock;
        scratch[at] = means[lane];
        scratch[at + 1] = total / count;
        scratch[at + 2] = square > 0f ? square : 0f;
    }

    // Sums of one group's columns over the rows of work items.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    private static float Total(ArrayView<float> parts, int first, int own, int columns, int rowLanes)
    {
        float total = 0f;
        for (int r = 0; r < rowLanes; r++)
            for (int c = 0; c < own; c++) total += parts[r * columns + first + c];
        return total;
    }

    /// <summary>
    /// Grid: (norm group, entry): combines its blocks and writes the affine map of its channels. Means are relative to the first block's,
    /// so that a large mean costs no precision.
    /// </summary>
    internal static void Lines<TLanes, TW, EW, TB, EB>(
        ArrayView<float> scratch, ArrayView<TW> weight, ArrayView<TB> bias, int rowsPerEntry, int groupChannels, int blocks,
        int rowsPerBlock, int linesAt, float epsilon)
        where TLanes : struct, IGroupLanes where TW : unmanaged where EW : struct, IElement<TW> where TB : unmanaged
            where EB : struct, IElement<TB>
    {
        var shared = SharedMemory.Allocate<float>(TLanes.Count);
        int group = Grid.IdxY * Grid.DimX + Grid.IdxX, from = group * blocks * MomentsPerBlock;
        float origin = scratch[from], first = 0f, second = 0f;
        for (int block = Group.IdxX; block < blocks; block += TLanes.Count)
        {
            int at = from + block * MomentsPerBlock, left = rowsPerEntry - block * rowsPerBlock;
            float count = (float)(left < rowsPerBlock ? left : rowsPerBlock) * groupChannels, step = scratch[at] - origin + scratch[at + 1];
            first += count * step;
            second += DeviceMath.Fma(count * step, step, scratch[at + 2]);
        }

        float all = (float)rowsPerEntry * groupChannels, rest = Reduction.Sum<TLanes>(first, shared) / all;
        float variance = Reduction.Sum<TLanes>(second, shared) / all - rest * rest;
        float scale = DeviceMath.Rsqrt((variance > 0f ? variance : 0f) + epsilon);
        int channels = Grid.DimX * groupChannels;
        for (int i = Group.IdxX; i < groupChannels; i += TLanes.Count)
        {
            int channel = Grid.IdxX * groupChannels + i, line = linesAt + Grid.IdxY * channels * LinesPerChannel + channel;
            float factor = scale * EW.Widen(weight[channel]);
            scratch[line] = origin;
            scratch[line + channels] = factor;
            scratch[line + 2 * channels] = DeviceMath.Fma(-rest, factor, EB.Widen(bias[channel]));
        }
    }

    /// <summary>One or four channels of a few rows per work item.</summary>
    internal static void Apply<T, E, TAccess>(
        ArrayView<T> x, ArrayView<float> scratch, ArrayView<T> y, int rows, int channels, int shift, int columnBlocks, int xPitch,
        int yPitch, int rowsPerEntry, int linesAt, int silu)
        where T : unmanaged where E : struct, IElement<T> where TAccess : struct, IAccess
    {
        int row = Lane.Row(shift, columnBlocks), channel = Lane.Column(shift, columnBlocks);
        if (row >= rows || channel >= channels) return;
        if (TAccess.Wide)
        {
            int at4 = linesAt + 4 * (Grid.IdxY * channels * LinesPerChannel + channel), next = 4 * channels;
            Float4 origins = Fp32.Widen4(Fp32.Fetch4(scratch, at4)), factors = Fp32.Widen4(Fp32.Fetch4(scratch, at4 + next)),
                summands = Fp32.Widen4(Fp32.Fetch4(scratch, at4 + 2 * next));
            for (; row < rowsPerEntry; row += rows)
            {
                int at = Grid.IdxY * rowsPerEntry + row;
                Float4 x4 = E.Widen4(E.Fetch4(x, at * xPitch + 4 * channel));
                x4 = new(
                    DeviceMath.Fma(x4.X - origins.X, factors.X, summands.X), DeviceMath.Fma(x4.Y - origins.Y, factors.Y, summands.Y),
                    DeviceMath.Fma(x4.Z - origins.Z, factors.Z, summands.Z), DeviceMath.Fma(x4.W - origins.W, factors.W, summands.W));
                if (silu != 0)
                    x4 = new(DeviceFunctions.Silu(x4.X), DeviceFunctions.Silu(x4.Y), DeviceFunctions.Silu(x4.Z),
                        DeviceFunctions.Silu(x4.W));
                E.Store4(y, at * yPitch + 4 * channel, x4);
            }

            return;
        }

        int line = linesAt + Grid.IdxY * channels * LinesPerChannel + channel;
        float origin = scratch[line], factor = scratch[line + channels], summand = scratch[line + 2 * channels];
        for (; row < rowsPerEntry; row += rows)
        {
            int at = Grid.IdxY * rowsPerEntry + row;
            float value = DeviceMath.Fma(E.Widen(x[at * xPitch + channel]) - origin, factor, summand);
            if (silu != 0) value = DeviceFunctions.Silu(value);
            y[at * yPitch + channel] = E.Narrow(value);
        }
    }
}
