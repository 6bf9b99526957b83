using System.Runtime.Intrinsics;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>What can be set about packed products. None of it changes a bit: it only says which part of a result is computed when and by whom.</summary>
internal static class GemmTuning
{
    /// <summary>KiB of a part's packed columns, which stay in the L2 cache while all its rows pass by: 820 (half of 2 MB and less), or 300 on processors without AVX-512, whose L2 may be 512 KiB.</summary>
    public static TuningParameter PackedKib { get; } = new("packed_kib", Vector512.IsHardwareAccelerated ? 820 : 300, 80, 160, 300, 480, 820, 1240);

    /// <summary>The most rows of a part: more pack columns less often, fewer leave smaller parts.</summary>
    public static TuningParameter PartRows { get; } = new("part_rows", 2048, 256, 512, 1024, 2048, 4096);

    /// <summary>The least number of parts per thread, so that a thread that another program holds up does not hold up the rest for long.</summary>
    public static TuningParameter PartsPerThread { get; } = new("parts_per_thread", 4, 1, 2, 3, 4, 6, 8);

    /// <summary>All of them.</summary>
    public static TuningSpace Space { get; } = new(PackedKib, PartRows, PartsPerThread);
}
