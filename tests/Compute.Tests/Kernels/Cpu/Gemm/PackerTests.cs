using System.Runtime.Intrinsics;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Packing of every storage type at every register width of this processor: whole groups of rows, narrower last groups, rows that do not
/// fill a group of elements, interleaved positions.
/// </summary>
public sealed unsafe class PackerTests
{
    private const int Length = 37, First = 3, KernelPositions = 9, Channels = 5;

    [Fact]
    public void Float32_AnyRowsAndPitch_TransposesExactly() => Verify<StoredFloat32>();

    [Fact]
    public void BFloat16_AnyRowsAndPitch_TransposesAndWidensExactly() => Verify<StoredBFloat16>();

    [Fact]
    public void Float16_AnyRowsAndPitch_TransposesAndWidensExactly() => Verify<StoredFloat16>();

    [Fact]
    public void Int8Pairs_AnyRowsAndPitch_TransposesAndWidensExactly() => Verify<StoredInt8Pair>();

    [Fact]
    public void UInt8Quads_AnyRowsAndPitch_TransposesAndOffsetsExactly() => Verify<StoredUInt8Quad>();

    private static void Verify<TStored>() where TStored : struct, IStored
    {
        Verify<TStored, Simd128>();
        if (Vector256.IsHardwareAccelerated) Verify<TStored, Simd256>();
        if (Vector512.IsHardwareAccelerated) Verify<TStored, Simd512>();
    }

    private static void Verify<TStored, V>() where TStored : struct, IStored where V : struct, ISimd<V>
    {
        var packer = new Packer<TStored, V>();
        foreach (var (rows, pitch) in new[] { (4, 4), (4, 9), (8, 6), (8, 8), (12, 12), (16, 16), (20, 20), (32, 32),
            (36, 40) }) Pack<TStored>(packer, rows, pitch);
        PackKernelPositions<TStored>(packer, 2 * V.Count);
    }

    private static void Pack<TStored>(Packer packer, int rows, int pitch) where TStored : struct, IStored
    {
        int[] target = new int[Length * pitch + Packer.Overrun];
        Array.Fill(target, -1);
        byte[] source = Source(rows, First + Length);
        fixed (byte* start = source)
        fixed (int* packed = target)
        {
            byte** addresses = stackalloc byte*[rows];
            for (int r = 0; r < rows; r++) addresses[r] = start + r * (First + Length) * TStored.Size;
            packer.Pack(addresses, rows, First, Length, (float*)packed, pitch);
            for (int k = 0; k < Length; k++)
            {
                for (int r = 0; r < pitch; r++)
                {
                    int expected = r < rows ? BitConverter.SingleToInt32Bits(TStored.Read(addresses[r] + (First + k) * TStored.Size)) : -1;
                    Assert.True(expected == packed[k * pitch + r],
                        $"{packer}: {rows} rows, pitch {pitch}, element {k} of row {r}: 0x{packed[k * pitch + r]:X8}; it must be "
                            + $"0x{expected:X8}.");
                }
            }
        }
    }

    private static void PackKernelPositions<TStored>(Packer packer, int rows) where TStored : struct, IStored
    {
        const int Elements = (First + Channels) * KernelPositions;
        float[] target = new float[Channels * KernelPositions * rows];
        byte[] source = Source(rows, Elements);
        fixed (byte* start = source)
        fixed (float* packed = target)
        {
            byte** addresses = stackalloc byte*[rows];
            for (int r = 0; r < rows; r++) addresses[r] = start + r * Elements * TStored.Size;
            packer.PackKernelPositions(addresses, rows, First, Channels, KernelPositions, packed, rows);
            for (int i = 0; i < target.Length; i++)
            {
                int r = i % rows, channel = i / rows % Channels, position = i / rows / Channels;
                float expected = TStored.Read(addresses[r] + ((First + channel) * KernelPositions + position) * TStored.Size);
                Assert.True(BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(packed[i]),
                    $"{packer}: row {r}, channel {channel}, position {position}: {packed[i]}; it must be {expected}.");
            }
        }
    }

    /// <summary>Bytes that are no NaN in any float type, so that conversions keep their bits.</summary>
    private static byte[] Source(int rows, int elements) =>
        [.. Enumerable.Range(0, rows * elements * sizeof(float))
            .Select(i => (byte)((i * 37 + i / 251) % 256 & (i % 2 == 1 ? 0xBB : 0xFF)))];
}
