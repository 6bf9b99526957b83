using System.Globalization;
using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// The CPU: SIMD kernels on the device's own worker threads. Launches run synchronously, so downloads do not wait; they are counted
/// nevertheless.
/// </summary>
public sealed class CpuDevice : Device
{
    private const string ThreadsVariable = "ILGPUDIFFUSION_THREADS";
    private readonly Lazy<DeviceCeilings> ceilings;

    /// <summary>Starts the worker threads.</summary>
    /// <param name="threads">Number of threads, including the calling one; null uses ILGPUDIFFUSION_THREADS or else all processors
    /// available to the process (container limits apply).</param>
    /// <param name="loggerFactory">Creates the device's loggers; null is <see cref="TraceLoggerFactory"/>.</param>
    /// <exception cref="DeviceException">The number is not between 1 and 1024.</exception>
    public CpuDevice(int? threads = null, ILoggerFactory? loggerFactory = null) : base(loggerFactory) =>
        (Workers, ceilings) = (new CpuWorkers(ThreadCount(threads)), new(() => CpuCeilings.Measure(this)));

    /// <inheritdoc/>
    public override string Id => "cpu";

    /// <inheritdoc/>
    public override string Name { get; } = ProcessorName();

    /// <inheritdoc/>
    public override Backends Backend => Backends.Cpu;

    /// <inheritdoc/>
    public override bool ReadsHostMemory => true;

    /// <inheritdoc/>
    public override bool CompilesKernels => false;

    /// <inheritdoc/>
    public override bool PutsKernelPositionsFirst => false;

    /// <inheritdoc/>
    public override string Architecture { get; } =
        $"simd{SimdWidth.Bits}";

    /// <inheritdoc/>
    public override string TuningName => $"{Name}, {Threads} thread{(Threads == 1 ? "" : "s")}";

    /// <inheritdoc/>
    public override long MemoryBytes => MemoryLimit ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <inheritdoc/>
    public override DeviceCeilings? Ceilings => ceilings.Value;

    /// <summary>Number of compute threads, including the caller's.</summary>
    public int Threads => Workers.Count;

    internal CpuWorkers Workers { get; }

    /// <summary>A limit below the machine's memory, so that tests can make an allocation fail; null uses the process's own limit.</summary>
    internal long? MemoryLimit { get; set; }

    /// <inheritdoc/>
    public override DeviceBuffer Allocate(long bytes)
    {
        // With memory overcommit the allocation would succeed and the process would be killed later.
        if (bytes > MemoryBytes)
            throw new DeviceException(
                $"cpu: {bytes / 1048576.0:F0} MiB of memory could not be allocated: the limit is {MemoryBytes / 1048576.0:F0} MiB. Choose "
                    + "a smaller image or batch, or tiled decoding.")
            { Device = Id, NeededBytes = bytes, FreeBytes = MemoryBytes };
        try
        {
            var buffer = HostBuffer.Allocate(bytes, Released);
            Allocated(bytes);
            return buffer;
        }
        catch (OutOfMemoryException e)
        {
            throw new DeviceException(
                $"cpu: {bytes / 1048576.0:F0} MiB of memory could not be allocated. Choose a smaller image or batch, or tiled decoding.",
                    e)
            { Device = Id, NeededBytes = bytes };
        }
    }

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<byte> source, Tensor target) =>
        source.CopyTo(MemoryMarshal.AsBytes(Bytes(target, source.Length)));

    /// <inheritdoc/>
    public override void Download(Tensor source, Span<byte> target)
    {
        Bytes(source, target.Length).CopyTo(target);
        Synchronised(); // does not wait here, but a download in a loop must be counted on every device
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        IsDisposed = true;
        Workers.Dispose();
    }

    private static unsafe Span<byte> Bytes(Tensor tensor, int length)
    {
        bool fits = tensor.IsContiguous && tensor.Shape.Count * tensor.DType.Size() == length;
        // formatted only on failure: the denoising loop does not allocate
        if (!fits) throw new ShapeException($"copy: tensor is {tensor}; it must be contiguous, of {length} bytes.");
        return new Span<byte>(tensor.Pointer<byte>(), length);
    }

    private static int ThreadCount(int? asked)
    {
        string? variable = Environment.GetEnvironmentVariable(ThreadsVariable);
        if (asked is null && !string.IsNullOrEmpty(variable))
            asked = int.TryParse(variable, CultureInfo.InvariantCulture, out int n) ? n
                : throw new DeviceException($"{ThreadsVariable} is '{variable}'; it must be a number of threads.");
        int count = asked ?? Environment.ProcessorCount;
        return count is >= 1 and <= 1024 ? count : throw new DeviceException($"cpu: threads is {count}; it must be 1 to 1024.");
    }

    private static string ProcessorName()
    {
        const string CpuInfo = "/proc/cpuinfo";
        string? line = File.Exists(CpuInfo)
            ? File.ReadLines(CpuInfo).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
