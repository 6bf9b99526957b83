using System.Runtime.Intrinsics;

namespace ILGpuDiffusion.Compute;

/// <summary>What can be set about packed products. None of it changes a bit: it only says which part of a result is computed when and by whom.</summary>
internal static class GemmTuning
{
    /// <summary>
    /// KiB of a part's packed rows, which stay in the L2 cache: 720, or 320 on processors without AVX-512, whose L2 may be 512 KiB. A panel of columns streams from L2 or stays in L1.
    /// </summary>
    public static TuningParameter PackedKib { get; } = new("packed_kib", Vector512.IsHardwareAccelerated ? 720 : 320, 80, 160, 320, 480, 720, 1080, 1440);

    /// <summary>The most columns of a part: more pack rows less often, fewer leave smaller parts.</summary>
    public static TuningParameter PartColumns { get; } = new("part_columns", 1024, 128, 256, 512, 1024, 2048, 4096);

    /// <summary>The least number of parts per thread, so that a thread that another program holds up does not hold up the rest for long.</summary>
    public static TuningParameter PartsPerThread { get; } = new("parts_per_thread", 4, 1, 2, 3, 4, 6, 8);

    /// <summary>All of them.</summary>
    public static TuningSpace Space { get; } = new(PackedKib, PartColumns, PartsPerThread);
}
