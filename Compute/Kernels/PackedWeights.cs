using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Weights in the form in which kernels read them, made once and shared by all launches that use the same weight in the same form, whatever their
/// sizes. A kernel that finds none packs, or transforms, its weights anew in every run. Belongs to whoever keeps the weights, and is disposed no later.
/// </summary>
public sealed class PackedWeights(Device device) : IDisposable
{
    private readonly Dictionary<(DeviceBuffer Buffer, long Offset, DType DType, Shape Shape, string Form), DeviceBuffer> kept = [];
    private readonly Lock gate = new();

    /// <summary>Memory that packed weights take at this moment.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return kept.Values.Sum(buffer => buffer.Bytes);
        }
    }

    /// <summary>A weight in one form, packed now if no launch has asked for it before.</summary>
    /// <param name="weight">The weight as it is stored. It must not change afterwards.</param>
    /// <param name="form">All that decides the packed bytes, other than the weight.</param>
    /// <param name="bytes">Size of the packed form.</param>
    /// <param name="pack">Fills the packed form.</param>
    public DeviceBuffer Get(Tensor weight, string form, long bytes, Action<DeviceBuffer> pack)
    {
        lock (gate)
        {
            var key = (weight.Buffer, weight.Offset, weight.DType, weight.Shape, form);
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

    /// <summary>Frees the packed forms of weights that lie in a buffer, which is about to be freed itself.</summary>
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

    /// <summary>Frees all packed weights; launches that use them must not run afterwards. What is asked for later is packed again.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var buffer in kept.Values) buffer.Dispose();
            kept.Clear();
        }
    }
}
