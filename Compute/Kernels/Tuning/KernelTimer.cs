using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Times kernel choices of one call with generated arguments. Weights exist in several copies that are used in turn, because a model reads
/// all its other weights before it reuses one: they are not in a cache by then.
/// </summary>
public sealed class KernelTimer : IKernelTimer, IDisposable
{
    private const long ColdWeightBytes = 48 << 20;
    private const int MostCopies = 8;
    private const double LeastSeconds = 0.003; // shorter calls are repeated until a timing takes this long
    private const int MostRepeats = 2000;

    private readonly Device device;
    private readonly OpSignature signature;
    private readonly List<DeviceBuffer> buffers = [];
    private readonly Tensor[][] arguments; // by copy
    private readonly Tensor output;
    private readonly Dictionary<KernelChoice, Launch[]> bound = [];
    private readonly PackedWeights packed;
    private Tensor? scratch;
    private int repeats, turn;

    /// <summary>Allocates and fills the arguments.</summary>
    /// <param name="device">Where the call runs.</param>
    /// <param name="signature">The call.</param>
    /// <param name="weights">Indices of the arguments that are weights.</param>
    public KernelTimer(Device device, OpSignature signature, IReadOnlyCollection<int> weights)
    {
        (this.device, this.signature, packed) = (device, signature, new(device));
        long weightBytes = weights.Sum(i => signature.Inputs[i].Bytes);
        int copies = weightBytes == 0 ? 1 : (int)Math.Clamp(ColdWeightBytes / weightBytes, 1, MostCopies);
        try
        {
            output = Create(signature.Output);
            Tensor[] shared = [.. signature.Inputs.Select((type, i) => weights.Contains(i) && copies > 1 ? output : Create(type))];
            arguments = [.. Enumerable.Range(0, copies)
                .Select(_ => shared.Select((tensor, i) => weights.Contains(i) && copies > 1 ? Create(signature.Inputs[i]) : tensor)
                    .ToArray())];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public double Time(KernelChoice choice)
    {
        var launches = Bound(choice);
        if (repeats == 0) repeats = (int)Math.Clamp(LeastSeconds / Run(launches, 1), 1, MostRepeats);
        return Run(launches, repeats) / repeats;
    }

    /// <summary>Frees the arguments.</summary>
    public void Dispose()
    {
        packed.Dispose();
        foreach (var buffer in buffers) buffer.Dispose();
    }

    private double Run(Launch[] launches, int count)
    {
        using var timing = device.StartTiming();
        for (int i = 0; i < count; i++) launches[turn++ % launches.Length].Run();
        timing.Mark();
        return timing.Read()[0];
    }

    private Launch[] Bound(KernelChoice choice)
    {
        if (bound.TryGetValue(choice, out var launches)) return launches;
        var kernel = device.Kernels.Get(signature, choice);
        long bytes = kernel.ScratchBytes(signature);
        if (bytes > (scratch?.Buffer.Bytes ?? 0)) scratch = Create(new TensorType(DType.Int8, [checked((int)bytes)]));
        launches = [.. arguments.Select(inputs => kernel.Bind(new OpCall(device, signature.Op, inputs, output, bytes > 0 ? scratch : null)
        {
            Packed = signature.KeepsPacked ? packed : null,
            KernelPositionsFirst = signature.KernelPositionsFirst,
        }))];
        launches[0].Run(); // compiles, and fills caches
        device.Synchronize();
        return bound[choice] = launches;
    }

    private Tensor Create(TensorType type)
    {
        var buffer = device.Allocate(type.Bytes);
        buffers.Add(buffer);
        Fill(buffer, type);
        return new Tensor(buffer, 0, type.DType, type.Concrete());
    }

    /// <summary>Fills a buffer: floats of order 0.1, small int8 values; other integers are indices and stay 0.</summary>
    private void Fill(DeviceBuffer buffer, TensorType type)
    {
        const int Block = 1 << 16;
        if (type.DType is DType.Int32 or DType.Int64) return;
        byte[] block = new byte[Block];
        uint state = 1;
        for (int i = 0; i < Block / type.DType.Size(); i++)
        {
            state = state * 1664525 + 1013904223;
            float value = ((state >> 8) / (float)(1 << 24) - 0.5f) * 0.25f;
            var target = block.AsSpan(i * type.DType.Size());
            switch (type.DType)
            {
                case DType.Float32: MemoryMarshal.Write(target, value); break;
                case DType.Float16: MemoryMarshal.Write(target, (Half)value); break;
                case DType.BFloat16: MemoryMarshal.Write(target, BFloat16Bits.Round(value)); break;
                default: target[0] = (byte)(sbyte)(value * 400); break;
            }
        }

        for (long at = 0; at < type.Bytes; at += Block)
        {
            int length = (int)Math.Min(Block, type.Bytes - at);
            device.Upload(block.AsSpan(0, length), new Tensor(buffer, at, DType.Int8, [length]));
        }
    }
}
