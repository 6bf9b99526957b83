using System.Numerics;
using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Packs weights into panels of as many result columns as a tile has.</summary>
/// <param name="w">Weights: one row of channels · positions elements per result column, with the positions of a channel contiguous.</param>
/// <param name="columns">Columns of a tile.</param>
/// <param name="positions">Kernel positions per channel; 1 for a matrix.</param>
/// <param name="scale">Factor of each result column, [n] Float32; null for none.</param>
internal sealed unsafe class PanelPacker(Tensor w, int columns, int positions, Tensor? scale = null)
{
    private readonly Packer packer = Packer.For(w.DType);
    private readonly byte* weights = w.Pointer<byte>();
    private readonly nint rowBytes = (nint)(w.Shape.Count / w.Shape[0]) * w.DType.Size();

    /// <summary>Packs one panel, <c>[positions][channels][columns]</c>.</summary>
    /// <param name="column">First of its columns.</param>
    /// <param name="end">End of the columns: those from here on repeat the last one, and their results are discarded.</param>
    /// <param name="channel">First channel.</param>
    /// <param name="channels">Number of channels.</param>
    /// <param name="panel">Receives the panel.</param>
    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    public void Pack(int column, int end, int channel, int channels, float* panel)
    {
        byte** addresses = stackalloc byte*[columns];
        for (int i = 0; i < columns; i++) addresses[i] = weights + Math.Min(column + i, end - 1) * rowBytes;
        if (positions == 1) packer.Pack(addresses, columns, channel, channels, panel, columns);
        else packer.PackKernelPositions(addresses, columns, channel, channels, positions, panel, columns);
        if (scale is not null) Scale(column, end, channels * positions, panel);
    }

    [SkipLocalsInit, MethodImpl(Jit.Kernel)]
    private void Scale(int column, int end, int rows, float* panel)
    {
        float* factors = stackalloc float[columns], values = scale!.Pointer<float>();
        for (int i = 0; i < columns; i++) factors[i] = values[Math.Min(column + i, end - 1)];
        for (int row = 0; row < rows; row++, panel += columns)
        {
            int i = 0;
            for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count)
                (Vector.Load(panel + i) * Vector.Load(factors + i)).Store(panel + i);
            for (; i < columns; i++) panel[i] *= factors[i];
        }
    }
}
