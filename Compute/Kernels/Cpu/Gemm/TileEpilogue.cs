using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// An <see cref="Epilogue"/> bound to its arguments. Kernels call it for each completed part of the result, while that part is in the
/// cache.
/// </summary>
internal abstract unsafe class TileEpilogue
{
    /// <summary>The epilogue of a call whose last arguments belong to it, or null if it does nothing.</summary>
    public static TileEpilogue? Of(OpCall call, Epilogue epilogue) =>
        epilogue.IsNone ? null
        : SimdWidth.Bits == 512 ? Of<Simd512>(call, epilogue)
        : SimdWidth.Bits >= 256 ? Of<Simd256>(call, epilogue)
        : Of<Simd128>(call, epilogue);

    /// <summary>Applies the epilogue in place to a rectangle of the result.</summary>
    /// <param name="row">First row, counted over all batch entries.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="column">First column.</param>
    /// <param name="columns">Number of columns.</param>
    public abstract void Apply(int row, int rows, int column, int columns);

    /// <summary>Whether the epilogue is y + e + r or a part of it, which kernels can add to sums held in registers.</summary>
    public abstract bool OnlyAdds { get; }

    /// <summary>Address of e for an element of the result; null if there is no e.</summary>
    public abstract float* Added(int row, int column);

    /// <summary>Address of r for an element of the result; null if there is no r.</summary>
    public abstract float* Residual(int row, int column);

    /// <summary>Elements between rows of r; 0 if there is no r.</summary>
    public abstract nint ResidualPitch { get; }

    private static TileEpilogue Of<V>(OpCall call, Epilogue epilogue) where V : struct, ISimd<V> => epilogue.Activation switch
    {
        null => new TileEpilogue<V, Identity>(call, epilogue),
        UnaryFunction.Silu => new TileEpilogue<V, ActivationMaps.Silu>(call, epilogue),
        UnaryFunction.Gelu => new TileEpilogue<V, ActivationMaps.Gelu>(call, epilogue),
        UnaryFunction.GeluTanh => new TileEpilogue<V, ActivationMaps.GeluTanh>(call, epilogue),
        UnaryFunction.QuickGelu => new TileEpilogue<V, ActivationMaps.QuickGelu>(call, epilogue),
        var unknown => throw new DeviceException($"epilogue: no kernel for {unknown}."),
    };
}

/// <summary>The loop for one activation and register width.</summary>
internal sealed unsafe class TileEpilogue<V, TActivation> : TileEpilogue where V : struct, ISimd<V> where TActivation : struct, IMap
{
    private readonly Tensor y;
    private readonly Tensor? e, r;
    private readonly int rowsPerEntry;
    private readonly float scale;

    public TileEpilogue(OpCall call, Epilogue epilogue)
    {
        (y, scale) = (call.Output, (float)(epilogue.Scale ?? 1));
        r = epilogue.Residual ? call.Inputs[^1] : null;
        e = epilogue.BatchBias ? call.Inputs[^epilogue.Arguments] : null;
        rowsPerEntry = e is null || e.Rows == 1 ? int.MaxValue : y.Rows / e.Rows;
    }

    public override bool OnlyAdds => scale == 1 && typeof(TActivation) == typeof(Identity);

    public override nint ResidualPitch => r?.RowPitch ?? 0;

    public override float* Added(int row, int column) =>
        e is null ? null : e.Pointer<float>() + (nint)(row / rowsPerEntry) * e.RowPitch + column;

    public override float* Residual(int row, int column) => r is null ? null : r.Pointer<float>() + (nint)row * r.RowPitch + column;

    public override void Apply(int row, int rows, int column, int columns)
    {
        for (int end = row + rows; row < end; row++)
            Row(y.Pointer<float>() + (nint)row * y.RowPitch + column, Added(row, column), Residual(row, column), scale, columns);
    }

    [MethodImpl(Jit.Kernel)]
    private static void Row(float* y, float* e, float* r, float scale, int count)
    {
        TActivation activation = default;
        V factor = V.Create(scale);
        int i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            V z = V.Load(y + i);
            if (e is not null) z += V.Load(e + i);
            z = activation.Apply(z);
            if (scale != 1) z *= factor;
            if (r is not null) z += V.Load(r + i);
            V.Store(z, y + i);
        }

        if (i == count) return;
        V last = Simd.LoadPartial<V>(y + i, count - i);
        if (e is not null) last += Simd.LoadPartial<V>(e + i, count - i);
        last = activation.Apply(last);
        if (scale != 1) last *= factor;
        if (r is not null) last += Simd.LoadPartial<V>(r + i, count - i);
        Simd.StorePartial(last, y + i, count - i);
    }
}
