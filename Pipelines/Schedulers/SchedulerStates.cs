using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Memory on a device for what a scheduler keeps from step to step. One run at a time uses it; a further run that needs no more allocates
/// nothing.
/// </summary>
/// <param name="device">The device.</param>
internal sealed class SchedulerStates(Device device) : IDisposable
{
    private const int Alignment = 256; // of sub-buffers and vector loads
    private static readonly byte[] Zeros = new byte[64 << 10];
    private DeviceBuffer? memory;

    /// <summary>The device.</summary>
    public Device Device => device;

    /// <summary>Float32 tensors of one shape, all zero.</summary>
    /// <exception cref="DeviceException">Out of memory.</exception>
    public Tensor[] Rent(int count, Shape shape)
    {
        long each = (shape.Count * sizeof(float) + Alignment - 1) / Alignment * Alignment, bytes = Math.Max(1, count) * each;
        if (memory is { } kept && kept.Bytes >= bytes) Clear(kept, bytes);
        else
        {
            Dispose(); // before the larger memory is allocated
            memory = device.Allocate(bytes);
        }

        var buffer = memory;
        return [.. Enumerable.Range(0, count).Select(i => new Tensor(buffer, i * each, DType.Float32, shape))];
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        memory?.Dispose();
        memory = null;
    }

    private void Clear(DeviceBuffer buffer, long bytes)
    {
        for (long at = 0; at < bytes; at += Zeros.Length)
        {
            int part = (int)Math.Min(Zeros.Length, bytes - at);
            device.Upload(Zeros.AsSpan(0, part), new Tensor(buffer, at, DType.Int8, [part]));
        }
    }
}
