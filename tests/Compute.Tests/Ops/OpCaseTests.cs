using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Every case of every op on the CPU, against the op's float64 definition.</summary>
public sealed class OpCaseTests
{
    public static TheoryData<string> CaseNames => [.. OpCatalog.Cases.SelectMany(c => c.Cases).Select(c => c.ToString())];

    public static TheoryData<string> InPlaceNames =>
        [.. OpCatalog.Cases.SelectMany(c => c.Cases).Where(c => c.Op.MayRunInPlace).Select(c => c.ToString())];

    [Theory, MemberData(nameof(CaseNames))]
    public void Case_OnCpu_MatchesReference(string name)
    {
        var (_, @case) = OpCatalog.Find(name);
        using var device = new CpuDevice(threads: 2);
        OpReference.Verify(name, OpCatalog.Run(device, @case).Values);
    }

    [Theory, MemberData(nameof(CaseNames))]
    public void Case_ContiguousOnAnyThreads_MatchesReferenceBitForBitAndAllocatesNothing(string name)
    {
        var (_, @case) = OpCatalog.Find(name);
        double[] one = Run(threads: 1), three = Run(threads: 3);
        OpReference.Verify(name, one);
        Assert.True(one.SequenceEqual(three), $"{name}: results depend on the number of threads.");

        double[] Run(int threads)
        {
            using var device = new CpuDevice(threads);
            using var bound = new BoundCase(device, @case, outputPadding: 0);
            bound.Run();
            long least = long.MaxValue;
            for (int i = 0; i < 3 && least > 0; i++) // a thread's first real wait allocates a lock object, at any time
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                bound.Run();
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            Assert.Equal(0, least);
            return bound.Read();
        }
    }

    [Theory, MemberData(nameof(InPlaceNames))]
    public void Case_InPlace_MatchesReference(string name)
    {
        var (_, @case) = OpCatalog.Find(name);
        using var device = new CpuDevice(threads: 2);
        using var bound = new BoundCase(device, @case, outputPadding: 0, inPlace: true);
        bound.Run();
        OpReference.Verify(name, bound.Read());
    }
}
