using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>An argument of a case: sizes, storage type and values.</summary>
/// <param name="Shape">Sizes.</param>
/// <param name="Values">The value of element i, before rounding to the storage type.</param>
/// <param name="DType">Its storage type.</param>
/// <param name="Padding">Extra columns between rows: greater than 0 makes the argument a column view.</param>
public sealed record CaseTensor(Shape Shape, Func<long, double> Values, DType DType = DType.Float32, int Padding = 0)
{
    /// <summary>Standard normal values times a scale, from a seed.</summary>
    public static CaseTensor Normal(Shape shape, int seed, double scale = 1, DType dtype = DType.Float32, int padding = 0)
    {
        var values = new Lazy<double[]>(() => NormalValues(shape.Count, seed, scale)); // listing cases must not generate their numbers
        return new CaseTensor(shape, i => values.Value[i], dtype, padding);
    }

    private static double[] NormalValues(long count, int seed, double scale)
    {
        var random = new Random(seed);
        double[] values = new double[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return values;
    }

    /// <summary>Given values.</summary>
    public static CaseTensor Of(Shape shape, params double[] values) => new(shape, i => values[i]);

    /// <summary>
    /// Uploads the values. Gaps between rows are filled with NaN, so that a kernel that reads them is detected.
    /// </summary>
    public Tensor Upload(Device device, out DeviceBuffer buffer)
    {
        int pitch = Shape.Last + Padding;
        long elements = Math.Max(1, (long)Shape.Rows * pitch);
        byte[] bytes = new byte[elements * DType.Size()];
        for (long i = 0; i < elements; i++)
        {
            long row = i / pitch, column = i % pitch;
            double value = column < Shape.Last && row * Shape.Last + column < Shape.Count ? Values(row * Shape.Last + column) : double.NaN;
            Store(bytes.AsSpan(checked((int)(i * DType.Size()))), value);
        }

        buffer = device.Allocate(bytes.Length);
        device.Upload(bytes, new Tensor(buffer, 0, DType.Int8, [bytes.Length]));
        return new Tensor(buffer, 0, DType, Shape, pitch);
    }

    /// <summary>The values after rounding to the storage type.</summary>
    public ReferenceTensor Reference()
    {
        double[] values = new double[Shape.Count];
        for (int i = 0; i < values.Length; i++) values[i] = Rounded(Values(i));
        return new ReferenceTensor(Shape, values);
    }

    private double Rounded(double value)
    {
        Span<byte> bytes = stackalloc byte[8];
        Store(bytes, value);
        return DType switch
        {
            DType.Float32 => MemoryMarshal.Read<float>(bytes),
            DType.Float16 => (double)MemoryMarshal.Read<Half>(bytes),
            DType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Read<ushort>(bytes) << 16),
            DType.Int8 => (sbyte)bytes[0],
            DType.Int32 => MemoryMarshal.Read<int>(bytes),
            _ => MemoryMarshal.Read<long>(bytes),
        };
    }

    private void Store(Span<byte> target, double value)
    {
        switch (DType)
        {
            case DType.Float32: MemoryMarshal.Write(target, (float)value); break;
            case DType.Float16: MemoryMarshal.Write(target, (Half)value); break;
            case DType.BFloat16: MemoryMarshal.Write(target, BFloat16Bits.Round((float)value)); break;
            case DType.Int8: target[0] = (byte)(sbyte)value; break;
            case DType.Int32: MemoryMarshal.Write(target, (int)value); break;
            default: MemoryMarshal.Write(target, (long)value); break;
        }
    }
}
