namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Lanes whose sums are int32.</summary>
internal unsafe interface IIntegerLanes<T> : ILanes<T> where T : struct, IIntegerLanes<T>
{
    /// <summary>target = (sums − offset) · factor · scales + bias, in float32, rounded at each step.</summary>
    /// <param name="sums">Integer sums.</param>
    /// <param name="offset">Subtracted from each, modulo 2³².</param>
    /// <param name="factor">The same for all lanes.</param>
    /// <param name="scales">One per lane.</param>
    /// <param name="bias">One per lane, or null.</param>
    /// <param name="target">Receives the floats.</param>
    static abstract void StoreScaled(T sums, int offset, float factor, float* scales, float* bias, float* target);
}
