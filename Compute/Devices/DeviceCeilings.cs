namespace ILGpuDiffusion.Compute.Devices;

/// <summary>What a device can do at best: the roofline (Williams, Waterman and Patterson, 2009) that kernels are judged by.</summary>
/// <param name="FlopsPerSecond">Float32 operations in a second; a multiply-add counts two.</param>
/// <param name="BytesPerSecond">Bytes read and written in a second, from memory.</param>
/// <param name="Source">Where the numbers come from: measured here, or stated by the maker.</param>
public sealed record DeviceCeilings(double FlopsPerSecond, double BytesPerSecond, string Source)
{
    /// <summary>The least time for some work: whichever of arithmetic and memory takes longer.</summary>
    public double Seconds(double flops, double bytes) => Math.Max(flops / FlopsPerSecond, bytes / BytesPerSecond);
}
