using System.Globalization;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// What the choice of kernels depends on, for CUDA architectures without a GPU at hand: shared memory per group after opting in (CUDA C++
/// Programming Guide, table of technical specifications per compute capability), and the multiprocessors of a usual GPU.
/// </summary>
internal static class CudaArchitectures
{
    private const int Oldest = 50, Newest = 90, OldSharedBytes = 48 << 10, UsualMultiprocessors = 80;

    private static readonly Dictionary<int, (int SharedKibibytes, int Multiprocessors)> Known = new()
    {
        [70] = (96, 80), // V100
        [72] = (96, 8),
        [75] = (64, 72),
        [80] = (163, 108), // A100
        [86] = (99, 84),
        [87] = (163, 16),
        [89] = (99, 128),
        [90] = (227, 132), // H100
    };

    /// <summary>An architecture by its name, such as <c>sm_80</c>; null for those that PTX is not written for.</summary>
    public static (GpuTarget Target, int Multiprocessors)? Find(string name)
    {
        if (!name.StartsWith("sm_", StringComparison.Ordinal)
            || !int.TryParse(name.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || number is < Oldest or > Newest) return null;
        var (shared, multiprocessors) = Known.TryGetValue(number, out var known) ? (known.SharedKibibytes << 10, known.Multiprocessors)
            : (OldSharedBytes, UsualMultiprocessors);
        var target = GpuTarget.Cuda(number / 10, number % 10) with { LocalMemoryBytes = shared, NativeHalf = number >= 53 };
        return (target, multiprocessors);
    }
}
