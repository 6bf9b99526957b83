namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Logs that kernels are being compiled, and how far that is: a first start takes seconds, and nobody should wonder why.</summary>
/// <param name="device">For whom.</param>
internal sealed class CompileNotice(Device device) : IDisposable
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.3), Next = TimeSpan.FromSeconds(1.5);
    private readonly Lock gate = new();
    private readonly HashSet<KernelSource> pending = [];
    private Timer? timer;
    private long start;
    private int done, said;

    /// <summary>A kernel will have to be compiled.</summary>
    public void Expect(KernelSource source)
    {
        lock (gate)
        {
            if (!pending.Add(source) || timer is not null) return;
            (start, done, said) = (System.Diagnostics.Stopwatch.GetTimestamp(), 0, -1);
            timer = new Timer(_ => Report(), null, First, Next);
        }
    }

    /// <summary>A kernel was compiled, or cannot be.</summary>
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

    /// <summary>A kernel will not be compiled now, because nobody needs it any more.</summary>
    public void Forget(KernelSource source)
    {
        lock (gate)
        {
            if (pending.Remove(source) && pending.Count == 0) Dispose();
        }
    }

    /// <summary>Says no more.</summary>
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
