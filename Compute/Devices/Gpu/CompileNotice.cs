namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Reports the progress of kernel compilation, which takes seconds on first use.</summary>
/// <param name="device">The device that kernels are compiled for.</param>
internal sealed class CompileNotice(Device device) : IDisposable
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.3), Next = TimeSpan.FromSeconds(1.5);
    private readonly Lock gate = new();
    private readonly HashSet<KernelSource> pending = [];
    private Timer? timer;
    private long start;
    private int done, said;

    /// <summary>Adds a kernel that has to be compiled.</summary>
    public void Expect(KernelSource source)
    {
        lock (gate)
        {
            if (!pending.Add(source) || timer is not null) return;
            (start, done, said) = (System.Diagnostics.Stopwatch.GetTimestamp(), 0, -1);
            timer = new Timer(_ => Report(), null, First, Next);
        }
    }

    /// <summary>Marks a kernel as done, whether it compiled or failed.</summary>
    public void Done(KernelSource source)
    {
        double seconds;
        int kernels;
        lock (gate)
        {
            if (!pending.Remove(source)) return;
            done++;
            if (pending.Count > 0) return;
            (seconds, kernels) = (System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, said >= 0 ? done : 0);
            Dispose();
        }

        if (kernels > 0) DeviceLog.Compiled(device.Logger, Kernels(kernels), device.Id, seconds);
    }

    /// <summary>Removes a kernel that will not be compiled because its requests were cancelled.</summary>
    public void Forget(KernelSource source)
    {
        lock (gate)
        {
            if (pending.Remove(source) && pending.Count == 0) Dispose();
        }
    }

    /// <summary>Stops reporting.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            timer?.Dispose();
            timer = null;
        }
    }

    private void Report()
    {
        int now, all;
        bool first;
        lock (gate)
        {
            if (timer is null || done == said) return;
            (now, all, first) = (done, done + pending.Count, said < 0);
            said = done;
        }

        if (first) DeviceLog.Compiling(device.Logger, Kernels(all), device.ToString());
        else DeviceLog.CompilingOn(device.Logger, device.Id, now, all);
    }

    private static string Kernels(int count) => count == 1 ? "1 kernel" : $"{count} kernels";
}
