using ILGpuDiffusion.Compute.Devices;
using Microsoft.Extensions.ObjectPool;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// The contexts of a pipeline's idle requests. They are freed by <see cref="Trim"/>, with the pipeline, and when the device is short of
/// memory.
/// </summary>
internal sealed class DenoisingContexts : IDisposable
{
    private readonly Device device;
    private readonly DefaultObjectPoolProvider provider = new();
    private ObjectPool<DenoisingContext> pool;

    /// <summary>Creates an empty pool.</summary>
    public DenoisingContexts(Device device)
    {
        this.device = device;
        pool = Create();
        device.MemoryShort += Trim;
    }

    /// <summary>Rents a context.</summary>
    public Lease Rent()
    {
        var from = Volatile.Read(ref pool);
        return new Lease(from, from.Get());
    }

    /// <summary>Frees the contexts that no request uses; those in use are freed when they are returned.</summary>
    public void Trim() => ((IDisposable)Interlocked.Exchange(ref pool, Create())).Dispose();

    /// <summary>Frees all.</summary>
    public void Dispose()
    {
        device.MemoryShort -= Trim;
        ((IDisposable)pool).Dispose();
    }

    private ObjectPool<DenoisingContext> Create() => provider.Create(new Policy(device)); // its pools of disposables are disposable

    /// <summary>A rented context.</summary>
    internal readonly struct Lease(ObjectPool<DenoisingContext> from, DenoisingContext context) : IDisposable
    {
        /// <summary>The context.</summary>
        public DenoisingContext Context => context;

        /// <summary>Returns it; a pool that was trimmed meanwhile frees it.</summary>
        public void Dispose() => from.Return(context);
    }

    private sealed class Policy(Device device) : PooledObjectPolicy<DenoisingContext>
    {
        public override DenoisingContext Create() => new(device);

        public override bool Return(DenoisingContext obj) => true;
    }
}
