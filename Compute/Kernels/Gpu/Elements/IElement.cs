namespace ILGpuDiffusion.Compute;

/// <summary>How floating-point elements are stored and computed with: a type argument of kernels.</summary>
/// <typeparam name="T">What an array of them holds.</typeparam>
internal interface IElement<T> where T : unmanaged
{
    /// <summary>The stored number as float32.</summary>
    static abstract float Widen(T bits);

    /// <summary>The nearest number that can be stored, ties to even.</summary>
    static abstract T Narrow(float value);
}
