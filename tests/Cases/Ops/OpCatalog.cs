using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Cases;

/// <summary>All ops and all their cases, found by reflection: a new op needs no list to be edited.</summary>
public static class OpCatalog
{
    /// <summary>Every op record of Compute.</summary>
    public static IReadOnlyList<Type> Ops { get; } =
        [.. typeof(Op).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Op)) && !t.IsAbstract).OrderBy(t => t.Name, StringComparer.Ordinal)];

    /// <summary>The case class of each op that has one.</summary>
    public static IReadOnlyList<IOpCases> Cases { get; } =
        [.. typeof(OpCatalog).Assembly.GetTypes().Where(t => t.IsAssignableTo(typeof(IOpCases)) && t.IsClass)
            .Select(t => (IOpCases)Activator.CreateInstance(t)!).OrderBy(c => c.Op.Name, StringComparer.Ordinal)];

    /// <summary>Runs one case on a device through the op's own kernel choice.</summary>
    /// <returns>The result, row-major, integers widened; a column view's gaps are checked to be untouched.</returns>
    public static (double[] Values, Shape Shape) Run(Device device, OpCase @case)
    {
        const int OutputPadding = 3; // the result is always a column view: kernels must respect its pitch
        var buffers = new List<DeviceBuffer>();
        try
        {
            Tensor[] inputs = [.. @case.Inputs.Select(i => { var t = i.Upload(device, out var b); buffers.Add(b); return t; })];
            TensorType[] types = [.. inputs.Select(i => i.Type)];
            var signature = new OpSignature(@case.Op, types, @case.Op.Infer(types));
            var kernel = device.Kernels.Get(signature);
            var output = new CaseTensor(signature.Output.Concrete(), _ => 77, signature.Output.DType, OutputPadding).Upload(device, out var outputBuffer);
            buffers.Add(outputBuffer);
            Tensor? scratch = null;
            if (kernel.ScratchBytes(signature) is > 0 and var bytes)
            {
                buffers.Add(device.Allocate(bytes));
                scratch = new Tensor(buffers[^1], 0, DType.Int8, [checked((int)bytes)]);
            }

            kernel.Bind(new OpCall(device, @case.Op, inputs, output, scratch)).Run();
            byte[] raw = new byte[outputBuffer.Bytes];
            device.Download(new Tensor(outputBuffer, 0, DType.Int8, [raw.Length]), raw);
            return (Unpack(raw, output), output.Shape);
        }
        finally
        {
            foreach (var buffer in buffers) buffer.Dispose();
        }
    }

    private static double[] Unpack(byte[] raw, Tensor output)
    {
        double[] values = new double[output.Shape.Count];
        int size = output.DType.Size();
        for (long i = 0; i < raw.Length / size; i++)
        {
            long row = i / output.RowPitch, column = i % output.RowPitch;
            double value = Read(raw.AsSpan((int)(i * size)), output.DType);
            if (column < output.Width) values[row * output.Width + column] = value;
            else if (output.DType.IsFloat() && !double.IsNaN(value)) throw new InvalidOperationException($"The kernel wrote {value} into the gap after row {row}.");
        }

        return values;
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
