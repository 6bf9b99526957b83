using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// The arenas of one pipeline. Its models run one after the other in the same arena, so that peak memory is that of the largest plan and
/// not the sum. Plans that run at the same time have an arena each, and the pool keeps as many for the next ones.
/// </summary>
public sealed class ArenaPool : IDisposable
{
    private readonly Device device;
    private readonly Lock gate = new();
    private readonly Dictionary<GraphConstant, (DeviceBuffer Buffer, Tensor Tensor)> constants = [];
    private readonly Lock making = new();
    private readonly List<DeviceBuffer> idle = []; // never more than the plans that were rented at the same time
    private int rented;
    private bool disposed;

    /// <summary>Creates an empty pool.</summary>
    /// <param name="device">The device of its arenas.</param>
    /// <param name="logger">For messages about the graphs that run in it; null creates one with the device's factory.</param>
    public ArenaPool(Device device, ILogger? logger = null)
    {
        Logger = logger ?? device.LoggerFactory.CreateLogger<CompiledGraph>();
        (this.device, PackedWeights) = (device, new PackedWeights(device));
        Weights = new DeviceWeights(device, PackedWeights);
        device.MemoryShort += GiveBack;
    }

    /// <summary>The device of the arenas.</summary>
    public Device Device => device;

    internal ILogger Logger { get; }

    /// <summary>
    /// Whether models free their weights' device copies when another model runs, so that text encoders, denoiser and autoencoder share the
    /// device's memory: the peak is that of the largest and not the sum, and each image uploads them again. Has no effect on a CPU, which
    /// reads weights in place.
    /// </summary>
    public bool Offload
    {
        get => Weights.Offload;
        set => Weights.Offload = value;
    }

    /// <summary>The weights on the device, shared by all plans.</summary>
    internal DeviceWeights Weights { get; }

    /// <summary>
    /// Weights packed for the pipeline's kernels, shared by all its plans. Freed by <see cref="Trim"/> and with the pool.
    /// </summary>
    public PackedWeights PackedWeights { get; }

    /// <summary>Frees memory that no plan uses at present, except the device copies of weights.</summary>
    public void Trim()
    {
        lock (gate)
        {
            foreach (var arena in idle) arena.Dispose();
            idle.Clear();
            if (rented > 0) return;
            PackedWeights.Dispose(); // a plan bound to them, or to constants, is also bound to a freed arena, so it never runs again
            FreeConstants();
        }
    }

    // If another thread holds this pool's lock, it may be waiting for a lock that the current thread holds: the pool then keeps its memory.
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

    /// <summary>Frees the idle arenas and the weights on the device; arenas in use are freed when they are returned.</summary>
    public void Dispose()
    {
        device.MemoryShort -= GiveBack;
        lock (gate) disposed = true;
        Trim();
        Weights.Dispose();
        PackedWeights.Dispose();
        FreeConstants();
    }

    private void FreeConstants()
    {
        lock (making)
        {
            foreach (var (buffer, _) in constants.Values) buffer.Dispose();
            constants.Clear();
        }
    }

    /// <summary>A constant's memory on this device, computed on first use and kept until the pool is trimmed.</summary>
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

    /// <summary>An arena of at least the given size.</summary>
    /// <param name="bytes">The size.</param>
    /// <param name="preferred">The arena that the plan is bound to, taken if it is idle.</param>
    internal DeviceBuffer Rent(long bytes, DeviceBuffer? preferred = null)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            var arena = preferred is not null && idle.Contains(preferred) ? preferred
                : idle.Where(a => a.Bytes >= bytes).MinBy(a => a.Bytes) ?? idle.MaxBy(a => a.Bytes);
            if (arena is not null) idle.Remove(arena);
            if (arena is null || arena.Bytes < bytes)
            {
                arena?.Dispose(); // before the larger one is allocated, so that they never coexist
                arena = device.Allocate(bytes);
            }

            rented++;
            return arena;
        }
    }

    /// <summary>Returns an arena to the pool.</summary>
    internal void Return(DeviceBuffer arena)
    {
        lock (gate)
        {
            rented--;
            if (disposed) arena.Dispose();
            else idle.Add(arena);
        }
    }
}
