namespace ILGpuDiffusion.Compute;

/// <summary>First all rows are quantised into scratch memory, then the integers are multiplied in packed tiles.</summary>
internal readonly struct QuantizedMatMulCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V> => new QuantizedMatMulLaunch<V>(call);

    /// <summary>Quantised rows, whole lanes each, and their scales.</summary>
    public static long ScratchBytes(OpSignature signature)
    {
        Shape x = signature.Inputs[0].Concrete();
        return (long)x.Rows * sizeof(int) * (Lanes(x.Last) + 1);
    }

    /// <summary>32-bit lanes that a row takes.</summary>
    public static int Lanes(int depth) => (depth + IntegerProduct.Best.PerLane - 1) / IntegerProduct.Best.PerLane;
}
