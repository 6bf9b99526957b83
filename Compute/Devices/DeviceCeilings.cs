namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Peak rates of a device: the roofline (Williams, Waterman and Patterson, 2009) against which kernels are measured.</summary>
/// <param name="FlopsPerSecond">Float32 operations per second; a multiply-add counts two.</param>
/// <param name="BytesPerSecond">Bytes read and written per second, from memory.</param>
/// <param name="Source">Origin of the numbers: measured, or the vendor's specification.</param>
public sealed record DeviceCeilings(double FlopsPerSecond, double BytesPerSecond, string Source)
{
    /// <summary>Lower bound of the time for some work: the longer of arithmetic and memory.</summary>
    public double Seconds(double flops, double bytes) => Math.Max(flops / FlopsPerSecond, bytes / BytesPerSecond);
}
