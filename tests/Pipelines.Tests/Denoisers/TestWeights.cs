using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>A checkpoint's tensors; tests change some, or store all in another type.</summary>
internal sealed class TestWeights(IWeightSource source) : IWeightSource
{
    private readonly Dictionary<string, Tensor> tensors = source.Names.ToDictionary(name => name, name => source.Find(name)!);

    public string Location => source.Location;

    public IEnumerable<string> Names => tensors.Keys;

    public Tensor? Find(string name) => tensors.GetValueOrDefault(name);

    /// <summary>
    /// Stores every tensor as <paramref name="dtype"/>, rounded to the nearest value that <paramref name="rounding"/> has.
    /// </summary>
    public TestWeights As(Device device, DType dtype, DType? rounding = null)
    {
        foreach (var (name, tensor) in tensors) tensors[name] = Convert(device, tensor, dtype, rounding ?? dtype);
        return this;
    }

    /// <summary>Removes or replaces a tensor.</summary>
    public TestWeights With(string name, Tensor? tensor)
    {
        tensors.Remove(name);
        if (tensor is not null) tensors.Add(name, tensor);
        return this;
    }

    private static Tensor Convert(Device device, Tensor source, DType dtype, DType rounding)
    {
        var target = new Tensor(device.Allocate(source.Shape.Count * dtype.Size()), 0, dtype, source.Shape);
        for (int i = 0; i < source.Shape.Count; i++)
        {
            float value = source.DType == DType.Float32 ? source.Span<float>()[i] : throw new NotSupportedException($"{source}");
            float rounded = rounding switch { DType.BFloat16 => Widen(Narrow(value)), DType.Float16 => (float)(Half)value, _ => value };
            if (dtype == DType.Float32) target.Span<float>()[i] = rounded;
            else if (dtype == DType.Float16) target.Span<Half>()[i] = (Half)rounded;
            else target.Span<ushort>()[i] = Narrow(rounded);
        }

        return target;
    }

    private static float Widen(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static ushort Narrow(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16); // nearest, ties to even; weights have no NaN
    }
}
