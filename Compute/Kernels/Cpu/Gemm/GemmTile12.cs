using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Twelve rows by two vectors, for processors with 32 vector registers.</summary>
internal sealed unsafe class GemmTile12<V> : GemmTile where V : struct, ILanes<V>
{
    public override int Rows => 12;

    public override int Columns { get; } = GemmMicroKernel<V>.Width;

    public override void Multiply(nint depth, float* a, nint rowPitch, nint step, float* b, float* c, nint pitch, int rows, bool accumulate,
        float* bias)
    {
        var end = new SumEnd<V>(c, pitch, accumulate, bias);
        if (rows <= 6) GemmMicroKernel<V>.SixRows(depth, a, rowPitch, step, b, rows, &end);
        else GemmMicroKernel<V>.TwelveRows(depth, a, rowPitch, step, b, rows, &end);
    }
}
