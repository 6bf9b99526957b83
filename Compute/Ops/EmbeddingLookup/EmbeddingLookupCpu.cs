using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>Copies and widens one table row per id; every id is checked before its row is read.</summary>
internal static class EmbeddingLookupCpu
{
    public static Launch Bind(OpCall call) => new Rows(call);

    private sealed unsafe class Rows(OpCall call) : RowLaunch(call, call.Output.Rows, call.Output.Width)
    {
        private readonly Tensor table = call.Inputs[0], ids = call.Inputs[1], y = call.Output;

        protected override void Row(int row)
        {
            long at = ids.IsContiguous ? row : (long)(row / ids.Width) * ids.RowPitch + row % ids.Width;
            long id = ids.DType == DType.Int64 ? ids.Pointer<long>()[at] : ids.Pointer<int>()[at];
            int entries = table.Rows;
            if (id < 0 || id >= entries)
                throw new ArgumentOutOfRangeException($"ids[{row}]", id,
                    $"embedding: the table has {entries} entries; numbers must be 0 to {entries - 1}.");
            byte* source = table.Pointer<byte>() + id * table.RowPitch * table.DType.Size();
            FloatConversion.Widen(source, table.DType, y.Pointer<float>() + (long)row * y.RowPitch, y.Width);
        }
    }
}
