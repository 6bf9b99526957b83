using System.Diagnostics;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Messages about a device go only to the factory that it was opened with.</summary>
public sealed class DeviceLoggingTests : IDisposable
{
    private static readonly GpuTarget Target = GpuTarget.Cuda(9, 0, "driver 1");
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Function_TwoDevicesOverOneCache_EachLogsItsOwn()
    {
        using CollectingLoggerFactory one = new(), other = new();
        string file = folder.Write("a file where the cache's folder should be", "");
        var artifacts = new HandWrittenOp.Artifacts();
        var cache = new ArtifactCache(file, compile: artifacts.Get);
        using TranslatingDevice first = new(Target, cache, one), second = new(Target, cache, other);
        first.Function(Source(1));
        first.Function(Source(2));
        Assert.Empty(other.Lines);
        var lines = one.Lines;
        second.Function(Source(3));
        Assert.Equal(lines, one.Lines);

        foreach (var log in new[] { one, other })
        {
            var warning = Assert.Single(log.Lines, line => line.Level == LogLevel.Warning); // once for all files
            Assert.Equal((1042, nameof(DeviceLog.CacheUnwritable)), (warning.Id.Id, warning.Id.Name));
            Assert.StartsWith($"kernel cache: {file}", warning.Text, StringComparison.Ordinal);
        }

        Assert.Equal([2, 1], new[] { one, other }.Select(log => log.Lines.Count(line => line.Id.Name == nameof(DeviceLog.KernelBuilt))));
    }

    [Fact]
    public void Open_WithAFactory_GivesItToTheDevice()
    {
        using var log = new CollectingLoggerFactory();
        using var device = DeviceCatalog.Open("cpu", threads: 1, log);
        Assert.Same(log, device.LoggerFactory);
    }

    [Fact]
    public void Open_WithoutAFactory_LogsToTrace()
    {
        using var device = DeviceCatalog.Open("cpu", threads: 1);
        Assert.Same(TraceLoggerFactory.Instance, device.LoggerFactory);
        string about = $"cpu {Guid.NewGuid():n} {{0}}"; // braces are not placeholders
        string written = Traced(() => DeviceLog.MemoryFreed(device.Logger, about, 1, 2, 3.4));
        string expected = $"{about}: memory is short, so 1 MiB that were kept for later requests were freed for 2 MiB (of 3 MiB).";
        Assert.Contains($"Warning: 0 : {expected}", written, StringComparison.Ordinal);
    }

    /// <summary>What is written to <see cref="Trace"/> meanwhile, by any code.</summary>
    internal static string Traced(Action action)
    {
        using var text = new StringWriter();
        using var listener = new TextWriterTraceListener(text);
        Trace.Listeners.Add(listener);
        try
        {
            action();
        }
        finally
        {
            Trace.Listeners.Remove(listener);
        }

        return text.ToString();
    }

    private static KernelSource Source(int number) => HandWrittenOp.Source with { GroupSize = 64 + number };
}
