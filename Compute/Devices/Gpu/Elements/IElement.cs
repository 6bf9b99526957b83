using ILGPU;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Storage and arithmetic of a floating-point element type: a type argument of kernels.</summary>
/// <typeparam name="T">Element type of the arrays.</typeparam>
internal interface IElement<T> where T : unmanaged
{
    /// <summary>The stored value as float32.</summary>
    static abstract float Widen(T bits);

    /// <summary>The nearest representable value, ties to even.</summary>
    static abstract T Narrow(float value);

    /// <summary>
    /// Four consecutive elements in storage format, the first at a multiple of four: one access of 16 bytes, or of 8 or 4 for narrower
    /// types. The view must be aligned for it. Does not depend on the loaded values, so that nothing waits for memory before they are
    /// widened.
    /// </summary>
    static abstract Stored4 Fetch4(ArrayView<T> view, int at);

    /// <summary>The fetched elements as float32.</summary>
    static abstract Float4 Widen4(Stored4 stored);

    /// <summary>Writes four consecutive elements at once, aligned as for <see cref="Fetch4"/>.</summary>
    static abstract void Store4(ArrayView<T> view, int at, Float4 values);
}
