namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Where the processor's buffers begin and what they hold at first.</summary>
public sealed unsafe class HostMemoryTests
{
    [Theory]
    [InlineData(0), InlineData(1), InlineData(100), InlineData(HostMemory.HugePage - 1), InlineData(HostMemory.HugePage), InlineData((5 << 20) + 3)]
    public void Buffer_IsAlignedAndZero(int bytes)
    {
        using var device = new CpuDevice(threads: 1);
        for (int round = 0; round < 2; round++) // the second may get the first one's memory, which is no longer zero
        {
            using var buffer = (HostBuffer)device.Allocate(bytes);
            long border = bytes >= HostMemory.HugePage && OperatingSystem.IsLinux() ? HostMemory.HugePage : HostMemory.Alignment;
            Assert.Equal(0, buffer.Address % border);
            var values = new Span<byte>((void*)buffer.Address, bytes);
            Assert.Equal(-1, values.IndexOfAnyExcept((byte)0));
            values.Fill(1);
        }

        Assert.Equal(0, device.AllocatedBytes);
    }

    [Fact]
    public void Scratch_KeepsItsBorderAsItGrows()
    {
        using var device = new CpuDevice(threads: 2);
        foreach (int bytes in new[] { 1000, HostMemory.HugePage / 2, 3 * HostMemory.HugePage, 10 })
        {
            device.Workers.Reserve(bytes);
            for (int worker = 0; worker < 2; worker++)
            {
                byte* scratch = device.Workers.Scratch<byte>(worker);
                Assert.Equal(0, (nint)scratch % HostMemory.Alignment);
                new Span<byte>(scratch, bytes).Fill((byte)worker);
            }
        }
    }
}
