using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Three phases: moments of blocks (float32 inside a block, float64 between blocks); an affine map y = (x − origin) · factor + summand per
/// entry and channel; its application. Memory is read twice and written once.
/// </summary>
internal sealed class GroupNormalizationCpu : ISimdBinder
{
    private const int BlockElements = 32768; // 128 KiB
    private const int BundleChannels = 128; // 512 bytes of a row at a time: enough consecutive cache lines for the prefetcher

    public static long ScratchBytes(OpSignature signature)
    {
        var blocks = Blocks(signature.Inputs[0].Concrete(), signature.Op);
        return MomentBytes(blocks) + LineBytes(blocks) + Parameters.ScratchBytes(signature, first: 1);
    }

    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> =>
        ((GroupNormalization)call.Op).Silu ? new Phases<V, ActivationMaps.Silu>(call) : new Phases<V, Identity>(call);

    private static GroupNormalizationBlocks Blocks(Shape x, Op op) =>
        new(x, ((GroupNormalization)op).Groups, BundleChannels, BlockElements);

    // Mean and centred sum of squares of each block and group.
    private static long MomentBytes(GroupNormalizationBlocks blocks) =>
        2L * blocks.Entries * blocks.Groups * blocks.Blocks * sizeof(double);

    // Origin, factor and summand of each entry and channel.
    private static long LineBytes(GroupNormalizationBlocks blocks) => 3L * blocks.Entries * blocks.Channels * sizeof(float);

    private enum Phase
    {
        Moments,
        Lines,
        Apply,
    }

    private sealed unsafe class Phases<V, TActivation> : CpuLaunch where V : struct, ISimd<V> where TActivation : struct, IMap
    {
        private const int ElementsPerPart = 32768, LineBytesWorthSharing = 65536;
        private readonly Tensor x, y;
        private readonly GroupNormalizationBlocks blocks;
        private readonly Parameters weight, bias;
        private readonly double epsilon;
        private readonly double* moments;
        private readonly float* lines;
        private readonly int rowsPerPart;
        private Phase phase;

        public Phases(OpCall call) : base(call)
        {
            var op = (GroupNormalization)call.Op;
            (x, y, epsilon) = (call.Inputs[0], call.Output, op.Epsilon);
            blocks = Blocks(x.Shape, op);
            (weight, bias) = (Parameters.Of(call, 1, first: 1, After), Parameters.Of(call, 2, first: 1, After));
            moments = call.Scratch!.Pointer<double>();
            lines = (float*)((byte*)moments + MomentBytes(blocks));
            rowsPerPart = Math.Clamp(ElementsPerPart / blocks.Channels, 1, Math.Max(blocks.RowsPerEntry, 1));
        }

        private long After => MomentBytes(blocks) + LineBytes(blocks);

        private int PartsPerEntry => IntegerMath.CeilDiv(blocks.RowsPerEntry, rowsPerPart);

        public override void Run()
        {
            weight.Prepare();
            bias.Prepare();
            phase = Phase.Moments;
            Parallel(blocks.Entries * blocks.Blocks * blocks.Bundles, inRanges: true);
            phase = Phase.Lines;
            int bundles = blocks.Entries * blocks.Bundles;
            if (LineBytes(blocks) < LineBytesWorthSharing) for (int i = 0; i < bundles; i++) Lines(i);
            else Parallel(bundles);
            phase = Phase.Apply;
            Parallel(blocks.Entries * PartsPerEntry, inRanges: true);
        }

        public override void Execute(int part, int worker)
        {
            switch (phase)
            {
                case Phase.Moments: Moments(part); break;
                case Phase.Lines: Lines(part); break;
                default: Apply(part); break;
            }
        }

        /// <summary>Mean and centred sum of squares of each group of one bundle over one block of rows.</summary>
        private void Moments(int part)
        {
            // Bundles are innermost: a worker takes whole rows, the same ones as when the map is applied.
            var (entry, block, bundle) =
                (part / (blocks.Bundles * blocks.Blocks), part / blocks.Bundles % blocks.Blocks, part % blocks.Bundles);
            int firstRow = block * blocks.RowsPerBlock, rows = Math.Min(blocks.RowsPerBlock, blocks.RowsPerEntry - firstRow);
            int first = bundle * blocks.GroupsPerBundle * blocks.GroupChannels;
            int last = Math.Min(first + blocks.GroupsPerBundle * blocks.GroupChannels, blocks.Channels);
            float* source = x.Pointer<float>() + ((long)entry * blocks.RowsPerEntry + firstRow) * x.RowPitch;
            float* found = stackalloc float[3 * ChannelMoments<V>.FourCount];
            var group = new GroupMoments(rows, blocks.GroupChannels);
            for (int channel = first; channel < last;)
            {
                // Registers may overlap channels that were already computed, or the next bundle's: those lanes are ignored.
                int start, lanes = ChannelMoments<V>.FourCount;
                if (last - channel > V.Count && blocks.Channels >= lanes)
                {
                    start = Math.Min(channel, blocks.Channels - lanes);
                    ChannelMoments<V>.Four(source + start, x.RowPitch, rows, found);
                }
                else
                {
                    lanes = Math.Min(V.Count, blocks.Channels);
                    start = Math.Min(channel, blocks.Channels - lanes);
                    ChannelMoments<V>.One(source + start, x.RowPitch, rows, lanes, found);
                }

                for (int i = channel - start; i < lanes && channel < last; i++, channel++)
                {
                    if (!group.Add(found[i], found[i + ChannelMoments<V>.FourCount], found[i + 2 * ChannelMoments<V>.FourCount])) continue;
                    double* target = moments + 2 * (((long)entry * blocks.Groups + channel / blocks.GroupChannels) * blocks.Blocks + block);
                    (target[0], target[1]) = group.Take();
                }
            }
        }

        /// <summary>Combines the blocks of each group of one bundle, in order, and writes the affine map of its channels.</summary>
        private void Lines(int part)
        {
            var (entry, bundle) = Math.DivRem(part, blocks.Bundles);
            int end = Math.Min((bundle + 1) * blocks.GroupsPerBundle, blocks.Groups);
            for (int group = bundle * blocks.GroupsPerBundle; group < end; group++)
            {
                double* source = moments + 2 * ((long)entry * blocks.Groups + group) * blocks.Blocks;
                double mean = 0, square = 0, count = 0;
                for (int block = 0; block < blocks.Blocks; block++)
                {
                    double more = (double)Math.Min(blocks.RowsPerBlock, blocks.RowsPerEntry - block * blocks.RowsPerBlock)
                        * blocks.GroupChannels;
                    double step = source[2 * block] - mean;
                    square += source[2 * block + 1] + step * step * count * more / (count + more);
                    mean += step * more / (count + more);
                    count += more;
                }

                double scale = 1 / Math.Sqrt(square / count + epsilon);
                float origin = (float)mean;
                float* line = lines + 3L * entry * blocks.Channels;
                for (int c = group * blocks.GroupChannels; c < (group + 1) * blocks.GroupChannels; c++)
                {
                    line[c] = origin;
                    line[c + blocks.Channels] = (float)(scale * weight.Values[c]);
                    line[c + 2 * blocks.Channels] = (float)(bias.Values[c] - (mean - origin) * scale * weight.Values[c]);
                }
            }
        }

        private void Apply(int part)
        {
            var (entry, index) = Math.DivRem(part, PartsPerEntry);
            int first = index * rowsPerPart, rows = Math.Min(rowsPerPart, blocks.RowsPerEntry - first);
            long row = (long)entry * blocks.RowsPerEntry + first;
            Apply(x.Pointer<float>() + row * x.RowPitch, x.RowPitch, lines + 3L * entry * blocks.Channels,
                y.Pointer<float>() + row * y.RowPitch, y.RowPitch, rows, blocks.Channels);
        }

        [MethodImpl(Jit.Kernel)]
        private static void Apply(float* x, long xPitch, float* line, float* y, long yPitch, int rows, int channels)
        {
            TActivation activation = default;
            float* factor = line + channels, summand = factor + channels;
            for (; rows > 0; rows--, x += xPitch, y += yPitch)
            {
                int i = 0;
                for (; i <= channels - V.Count; i += V.Count)
                    V.Store(activation.Apply(V.MultiplyAdd(V.Load(x + i) - V.Load(line + i), V.Load(factor + i), V.Load(summand + i))),
                        y + i);
                int rest = channels - i;
                if (rest == 0) continue;
                V last = Simd.LoadPartial<V>(x + i, rest) - Simd.LoadPartial<V>(line + i, rest);
                last = V.MultiplyAdd(last, Simd.LoadPartial<V>(factor + i, rest), Simd.LoadPartial<V>(summand + i, rest));
                Simd.StorePartial(activation.Apply(last), y + i, rest);
            }
        }
    }
}
