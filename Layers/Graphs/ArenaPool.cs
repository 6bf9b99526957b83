using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// The arenas of one pipeline. Its models run one after the other and take turns in the same arena, so that memory peaks at the largest
/// plan and not at their sum; requests that run at the same time each get their own.
/// </summary>
public sealed class ArenaPool : IDisposable
{
    private readonly Device device;
    private readonly Lock gate = new();
    private readonly Dictionary<GraphConstant, (DeviceBuffer Buffer, Tensor Tensor)> constants = [];
    private readonly Lock making = new();
    private DeviceBuffer? idle;
    private int rented;
    private bool disposed;

    /// <summary>A pool without any memory yet.</summary>
    /// <param name="device">Where its arenas will lie.</param>
    /// <param name="logger">For messages about the graphs that run in it; null makes one with the device's factory.</param>
    public ArenaPool(Device device, ILogger? logger = null)
    {
        Logger = logger ?? device.LoggerFactory.CreateLogger<CompiledGraph>();
        (this.device, PackedWeights) = (device, new PackedWeights(device));
        Weights = new DeviceWeights(device, PackedWeights);
        device.MemoryShort += GiveBack;
    }

    /// <summary>The device that the arenas lie on.</summary>
    public Device Device => device;

    internal ILogger Logger { get; }

    /// <summary>
    /// Whether models give up their weights' copies on the device when another one is to run, so that text encoders, denoiser and autoencoder take turns in its memory: it
    /// peaks at the largest and not at their sum, and each image uploads them again. A CPU reads weights where they lie and has none to give up.
    /// </summary>
    public bool Offload
    {
        get => Weights.Offload;
        set => Weights.Offload = value;
    }

    /// <summary>The weights on the device, shared by all plans.</summary>
    internal DeviceWeights Weights { get; }

    /// <summary>Weights in the form that the pipeline's kernels read, shared by all its plans. Freed by <see cref="Trim"/> and with the pool.</summary>
    public PackedWeights PackedWeights { get; }

    /// <summary>Frees the memory that no plan uses at this moment, but for the device's copies of weights.</summary>
    public void Trim()
    {
        lock (gate)
        {
            idle?.Dispose();
            idle = null;
            if (rented == 0) PackedWeights.Dispose(); // a plan that is bound to them is bound to an arena that is gone too, so it never runs again
        }
    }

    // Another thread may be in the middle of something with this pool, and wait for a lock that the thread at hand holds: then this pool keeps what it has.
    private void GiveBack()
    {
        if (!gate.TryEnter()) return;
        try
        {
            Trim();
            Weights.TryTrim();
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>Frees the idle arena and the weights on the device; arenas still in use are freed when they come back.</summary>
    public void Dispose()
    {
        device.MemoryShort -= GiveBack;
        lock (gate) disposed = true;
        Trim();
        Weights.Dispose();
        PackedWeights.Dispose();
        lock (making)
        {
            foreach (var (buffer, _) in constants.Values) buffer.Dispose();
            constants.Clear();
        }
    }

    /// <summary>A constant's memory on this device, computed the first time that a plan asks for it and kept until the pool is disposed.</summary>
    internal Tensor Keep(GraphConstant constant)
    {
        lock (making)
        {
            if (!constants.TryGetValue(constant, out var kept))
            {
                var buffer = device.Allocate(constant.Type.Bytes);
                kept = (buffer, new Tensor(buffer, 0, constant.Type.DType, constant.Type.Concrete()));
                try
                {
                    constant.Fill(kept.Tensor, device);
                }
                catch
                {
                    buffer.Dispose();
                    throw;
                }

                constants.Add(constant, kept);
            }

            return kept.Tensor;
        }
    }

    internal DeviceBuffer Rent(long bytes)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            var arena = idle;
            idle = null;
            if (arena is null || arena.Bytes < bytes)
            {
                arena?.Dispose(); // before the larger one is allocated: both together would be the peak
                arena = device.Allocate(bytes);
            }

            rented++;
            return arena;
        }
    }

    /// <summary>Takes an arena back. The largest stays for the next plan.</summary>
    internal void Return(DeviceBuffer arena)
    {
        lock (gate)
        {
            rented--;
            var (keep, free) = idle is null || idle.Bytes < arena.Bytes ? (arena, idle) : (idle, arena);
            free?.Dispose();
            idle = disposed ? null : keep;
            if (disposed) keep.Dispose();
        }
    }
}
