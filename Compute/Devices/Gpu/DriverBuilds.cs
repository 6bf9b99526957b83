namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Counts the kernels whose text a driver compiled because it had no usable binary.</summary>
internal static class DriverBuilds
{
    private static int count;

    /// <summary>Their number in this process.</summary>
    public static int Count => Volatile.Read(ref count);

    /// <summary>Counts one.</summary>
    public static void Add() => Interlocked.Increment(ref count);
}
