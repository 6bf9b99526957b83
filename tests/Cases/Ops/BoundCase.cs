using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>A case with its arguments on a device, bound to the kernel that the op chooses there; can run repeatedly.</summary>
public sealed class BoundCase : IDisposable
{
    private readonly Device device;
    private readonly List<DeviceBuffer> buffers = [];
    private readonly Tensor output;
    private readonly Launch launch;

    /// <summary>Uploads the arguments, allocates result and scratch, and binds the kernel.</summary>
    /// <param name="device">The device.</param>
    /// <param name="case">The case.</param>
    /// <param name="outputPadding">Extra columns between the result's rows: greater than 0 makes the result a column view.</param>
    /// <param name="inPlace">Whether the result overwrites the first argument; the op must allow it.</param>
    /// <param name="variant">The variant; null for the one that the op chooses.</param>
    /// <param name="settings">Its settings; null for the defaults.</param>
    /// <param name="packed">Cache of packed weights, as plans of small models have; null packs them in every run.</param>
    /// <param name="kernelPositionsFirst">Whether the second argument is a filter with its positions outermost, as in plans on
    /// GPUs.</param>
    public BoundCase(Device device, OpCase @case, int outputPadding, bool inPlace = false, string? variant = null,
        KernelSettings? settings = null, PackedWeights? packed = null, bool kernelPositionsFirst = false)
    {
        this.device = device;
        Tensor[] inputs = [.. @case.Inputs.Select((tensor, i) =>
            Upload(i == 1 && kernelPositionsFirst ? KernelPositionsFirst(tensor) : tensor))];
        TensorType[] types = [.. inputs.Select(i => i.Type)];
        var signature = new OpSignature(@case.Op, types, @case.Op.Infer(types))
        {
            KeepsPacked = packed is not null,
            KernelPositionsFirst = kernelPositionsFirst
        };
        var kernel = variant is null ? device.Kernels.Get(signature)
            : device.Kernels.Get(signature, Choice(@case.Op.Kernels.Variants.Single(v => v.Name == variant), signature, settings));
        output = inPlace ? inputs[0] : Upload(new CaseTensor(signature.Output.Concrete(), _ => 77, signature.Output.DType, outputPadding));
        Tensor? scratch = null;
        if (kernel.ScratchBytes(signature) is > 0 and var bytes)
        {
            buffers.Add(device.Allocate(bytes));
            scratch = new Tensor(buffers[^1], 0, DType.Int8, [checked((int)bytes)]);
        }

        launch = kernel.Bind(new OpCall(device, @case.Op, inputs, output, scratch)
        {
            Packed = packed,
            KernelPositionsFirst = kernelPositionsFirst
        });
    }

    /// <summary>The result's sizes.</summary>
    public Shape Shape => output.Shape;

    /// <summary>The result's element type.</summary>
    public DType DType => output.DType;

    /// <summary>Kernels that one run launches.</summary>
    public int LaunchCount => launch.Count;

    /// <summary>Runs the kernel.</summary>
    public void Run() => launch.Run();

    /// <summary>The result, row-major, integers widened.</summary>
    /// <exception cref="InvalidOperationException">The kernel wrote into a gap between rows.</exception>
    public double[] Read()
    {
        byte[] raw = new byte[output.Buffer.Bytes];
        device.Download(new Tensor(output.Buffer, 0, DType.Int8, [raw.Length]), raw);
        double[] values = new double[output.Shape.Count];
        int size = output.DType.Size();
        for (long i = 0; i < raw.Length / size; i++)
        {
            long row = i / output.RowPitch, column = i % output.RowPitch;
            double value = Read(raw.AsSpan((int)(i * size)), output.DType);
            if (column < output.Width) values[row * output.Width + column] = value;
            else if (output.DType.IsFloat() && !double.IsNaN(value))
                throw new InvalidOperationException($"The kernel wrote {value} into the gap after row {row}.");
        }

        return values;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in buffers) buffer.Dispose();
    }

    /// <summary>[co, ci, positions] as [co, positions, ci], with its original shape.</summary>
    private static CaseTensor KernelPositionsFirst(CaseTensor filter)
    {
        int channels = filter.Shape[1], positions = filter.Shape[2] * filter.Shape[3];
        return filter with
        {
            Values = i =>
            filter.Values(i / (channels * positions) * channels * positions + i % channels * positions + i / channels % positions)
        };
    }

    private KernelChoice Choice(KernelVariant variant, OpSignature signature, KernelSettings? settings) =>
        settings is null ? variant.Untuned(device, signature) : new(variant, settings);

    private Tensor Upload(CaseTensor tensor)
    {
        var uploaded = tensor.Upload(device, out var buffer);
        buffers.Add(buffer);
        return uploaded;
    }

    private static double Read(ReadOnlySpan<byte> bytes, DType dtype) => dtype switch
    {
        DType.Float32 => BitConverter.ToSingle(bytes),
        DType.Float16 => (double)BitConverter.ToHalf(bytes),
        DType.BFloat16 => BFloat16Bits.Widen(BitConverter.ToUInt16(bytes)),
        DType.Int8 => (sbyte)bytes[0],
        DType.Int32 => BitConverter.ToInt32(bytes),
        _ => BitConverter.ToInt64(bytes),
    };
}
