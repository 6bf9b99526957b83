namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A register of float32 lanes. Kernels are written once over this interface; the JIT compiles one instance per width and inlines the
/// one-field structs, so that the code equals hand-written Vector512, Vector256 or Vector128 code.
/// </summary>
internal unsafe interface ISimd<T> : ILanes<T> where T : struct, ISimd<T>
{
    /// <summary>
    /// Reads the first <paramref name="count"/> lanes and nothing beyond; the others are taken from <paramref name="missing"/>.
    /// </summary>
    static abstract T LoadFirst(float* source, int count, T missing);

    /// <summary>Writes the first <paramref name="count"/> lanes and nothing beyond.</summary>
    static abstract void StoreFirst(T value, float* target, int count);

    /// <summary>Lane-wise difference.</summary>
    static abstract T operator -(T a, T b);

    /// <summary>Lane-wise negation.</summary>
    static abstract T operator -(T a);

    /// <summary>Lane-wise product.</summary>
    static abstract T operator *(T a, T b);

    /// <summary>Lane-wise quotient.</summary>
    static abstract T operator /(T a, T b);

    /// <summary>1 / a, to one or two units in the last place; 0 for infinity.</summary>
    static abstract T Reciprocal(T a);

    /// <summary>Lane-wise minimum; NaN if <paramref name="b"/> is NaN.</summary>
    static abstract T Min(T a, T b);

    /// <summary>Lane-wise maximum; NaN if <paramref name="b"/> is NaN.</summary>
    static abstract T Max(T a, T b);

    /// <summary>Lane-wise absolute value.</summary>
    static abstract T Abs(T a);

    /// <summary>
    /// The lowest nine bits become sign and exponent: 2ⁿ⁻¹²⁷ for a = 1.5 · 2²³ + n with n = 0 … 254, and 0 for n = 0. The sum that makes
    /// such an a rounds n to an integer.
    /// </summary>
    static abstract T LowBitsToExponent(T a);

    /// <summary>a &lt; b ? then : otherwise, lane by lane; a comparison with NaN is false.</summary>
    static abstract T IfLess(T a, T b, T then, T otherwise);

    /// <summary>Adjacent lanes (a, b) become (−b, a): multiplication by i.</summary>
    static abstract T RotatePairs(T a);

    /// <summary>Four consecutive lanes of every fourth row, for one register: row 0's, row 4's, row 8's, row 12's.</summary>
    /// <param name="rows">Addresses; every fourth is read.</param>
    /// <param name="at">Byte offset of the lanes from there.</param>
    static abstract T LoadEveryFourth(byte** rows, nint at);

    /// <summary>Interleaves the first two of each four lanes of a and b: a0 b0 a1 b1.</summary>
    static abstract T ZipLow(T a, T b);

    /// <summary>Interleaves the last two of each four lanes of a and b: a2 b2 a3 b3.</summary>
    static abstract T ZipHigh(T a, T b);

    /// <summary>Shifts the lanes' bits left.</summary>
    static abstract T ShiftLeft(T a, int bits);

    /// <summary>Shifts the lanes' bits right, filling with zeros.</summary>
    static abstract T ShiftRight(T a, int bits);

    /// <summary>Bitwise and of each lane with <paramref name="bits"/>.</summary>
    static abstract T And(T a, uint bits);

    /// <summary>Bitwise exclusive or of each lane with <paramref name="bits"/>.</summary>
    static abstract T Xor(T a, uint bits);

    /// <summary>Sum of all lanes, in an order that depends on the width only.</summary>
    static abstract float Sum(T a);

    /// <summary>Largest lane.</summary>
    static abstract float Max(T a);
}
