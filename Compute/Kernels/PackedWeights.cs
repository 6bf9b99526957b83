using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Weights in the layout that kernels read, packed once and shared by all launches with the same weight and layout, whatever their other
/// sizes. Without it, a kernel packs or transforms its weights in every run. Owned by the owner of the weights, and disposed no later than
/// they are.
/// </summary>
public sealed class PackedWeights(Device device) : IDisposable
{
    private readonly Dictionary<(DeviceBuffer Buffer, long Offset, DType DType, Shape Shape, PackedLayout Layout), DeviceBuffer> kept = [];
    private readonly Lock gate = new();

    /// <summary>Device memory of the packed weights at present, in bytes.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return kept.Values.Sum(buffer => buffer.Bytes);
        }
    }

    /// <summary>A weight in one layout; packs it if this is the first request.</summary>
    /// <param name="weight">The weight as stored. It must not change afterwards.</param>
    /// <param name="layout">How it is packed.</param>
    /// <param name="bytes">Size of the packed weight.</param>
    /// <param name="pack">Fills the packed weight.</param>
    internal DeviceBuffer Get(Tensor weight, PackedLayout layout, long bytes, Action<DeviceBuffer> pack)
    {
        lock (gate)
        {
            var key = (weight.Buffer, weight.Offset, weight.DType, weight.Shape, layout);
            if (kept.TryGetValue(key, out var found)) return found;
            var packed = device.Allocate(bytes);
            try
            {
                pack(packed);
            }
            catch
            {
                packed.Dispose();
                throw;
            }

            kept.Add(key, packed);
            return packed;
        }
    }

    /// <summary>Frees the packed weights of a buffer that is about to be freed.</summary>
    public void Forget(DeviceBuffer weights)
    {
        lock (gate)
        {
            foreach (var key in kept.Keys.Where(k => k.Buffer == weights).ToArray())
            {
                kept.Remove(key, out var packed);
                packed!.Dispose();
            }
        }
    }

    /// <summary>Frees all packed weights; launches that use them must not run afterwards. Later requests pack again.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var buffer in kept.Values) buffer.Dispose();
            kept.Clear();
        }
    }
}
