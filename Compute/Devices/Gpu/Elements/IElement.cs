using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>How floating-point elements are stored and computed with: a type argument of kernels.</summary>
/// <typeparam name="T">What an array of them holds.</typeparam>
internal interface IElement<T> where T : unmanaged
{
    /// <summary>The stored number as float32.</summary>
    static abstract float Widen(T bits);

    /// <summary>The nearest number that can be stored, ties to even.</summary>
    static abstract T Narrow(float value);

    /// <summary>
    /// Four neighbours at once, the first at a multiple of four, as they are stored: one access of 16 bytes, or of 8 or 4 for narrower storage. The view must begin where such an access may.
    /// Nothing waits for the memory before they are widened.
    /// </summary>
    static abstract Stored4 Fetch4(ArrayView<T> view, int at);

    /// <summary>What was fetched, as float32.</summary>
    static abstract Float4 Widen4(Stored4 stored);

    /// <summary>Writes four neighbours at once, as <see cref="Fetch4"/> reads them.</summary>
    static abstract void Store4(ArrayView<T> view, int at, Float4 values);
}
