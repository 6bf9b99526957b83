using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Writes a hash of what each CPU kernel computes for each op case, for <c>perf/run.sh texts</c>: CPU kernels have no text to compare. It
/// checks nothing by itself and is skipped unless a folder is named.
/// </summary>
public sealed class OpResultDump
{
    [Theory, InlineData(1), InlineData(3)]
    public void Results_OnTheCpu_AreWritten(int threads)
    {
        string folder = Path.Combine(KernelTextDump.Folder, "cpu");
        using var device = new CpuDevice(threads);
        string[] lines = [.. OpCatalog.Cases.SelectMany(c => c.Cases).SelectMany(c => Results(device, c))];
        Assert.NotEmpty(lines);
        Directory.CreateDirectory(folder);
        File.WriteAllLines(Path.Combine(folder, $"{device.Architecture}-{threads}-threads.results"), lines);
    }

    private static IEnumerable<string> Results(CpuDevice device, OpCase @case)
    {
        var signature = TranslatingDevice.Signature(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
        foreach (var (number, variant) in @case.Op.Kernels.Candidates(device, signature).Index())
            foreach (int padding in new[] { 0, 3 })
            {
                using var bound = new BoundCase(device, @case, padding, variant: variant.Name);
                bound.Run();
                yield return $"{@case.Op.Kernels.Op}: {@case.Name}, way {number}, gap "
                    + $"{padding}\t{Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(bound.Read().AsSpan())))[..16]}";
            }
    }
}
