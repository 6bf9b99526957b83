namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A register of 32-bit lanes with the arithmetic of a GEMM. For floats it is <see cref="ISimd{T}"/>; integer kernels keep packed small
/// integers and int32 sums in the same lanes, as raw bits.
/// </summary>
internal unsafe interface ILanes<T> where T : struct, ILanes<T>
{
    /// <summary>Lanes of one register.</summary>
    static abstract int Count { get; }

    /// <summary>The same value in every lane.</summary>
    static abstract T Create(float value);

    /// <summary>Reads <see cref="Count"/> lanes; the address need not be aligned.</summary>
    static abstract T Load(float* source);

    /// <summary>Writes <see cref="Count"/> lanes; the address need not be aligned.</summary>
    static abstract void Store(T value, float* target);

    /// <summary>Lane-wise sum.</summary>
    static abstract T operator +(T a, T b);

    /// <summary>a · b + c, with a single rounding if the processor has FMA.</summary>
    static abstract T MultiplyAdd(T a, T b, T c);
}
