using ILGpuDiffusion.Compute.Devices;


namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Tuning parameters of packed GEMMs. None of them changes a bit of the result: they only set which part of it is computed when and by
/// which thread.
/// </summary>
internal static class GemmTuning
{
    /// <summary>
    /// Size in KiB of a part's packed columns, which stay in the L2 cache while all of the part's rows are multiplied: 820 (half of 2 MB
    /// and less), or 300 on processors without AVX-512, whose L2 may be 512 KiB.
    /// </summary>
    public static TuningParameter PackedKib { get; } = new("packed_kib", SimdWidth.Bits == 512 ? 820 : 300, 80, 160, 300, 480, 820, 1240);

    /// <summary>Most rows of a part: with more rows, columns are packed less often; with fewer, parts are smaller.</summary>
    public static TuningParameter PartRows { get; } = new("part_rows", 2048, 256, 512, 1024, 2048, 4096);

    /// <summary>Least number of parts per thread, so that a thread delayed by another program does not delay the rest for long.</summary>
    public static TuningParameter PartsPerThread { get; } = new("parts_per_thread", 4, 1, 2, 3, 4, 6, 8);

    /// <summary>All parameters.</summary>
    public static TuningSpace Space { get; } = new(PackedKib, PartRows, PartsPerThread);
}
