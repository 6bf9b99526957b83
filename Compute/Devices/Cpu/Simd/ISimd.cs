namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A register of float32 lanes. Kernels are written once over this interface; the JIT makes one instance per width and sees through the
/// one-field structs, so that the code is what hand-written Vector512, Vector256 or Vector128 code would be.
/// </summary>
internal unsafe interface ISimd<T> : ILanes<T> where T : struct, ISimd<T>
{
    /// <summary>Reads the first <paramref name="count"/> lanes and nothing beyond; the others are those of <paramref name="missing"/>.</summary>
    static abstract T LoadFirst(float* source, int count, T missing);

    /// <summary>Writes the first <paramref name="count"/> lanes and nothing beyond.</summary>
    static abstract void StoreFirst(T value, float* target, int count);

    /// <summary>Difference of each lane.</summary>
    static abstract T operator -(T a, T b);

    /// <summary>Negation of each lane.</summary>
    static abstract T operator -(T a);

    /// <summary>Product of each lane.</summary>
    static abstract T operator *(T a, T b);

    /// <summary>Quotient of each lane.</summary>
    static abstract T operator /(T a, T b);

    /// <summary>1 / a, to one or two units in the last place; 0 for infinity.</summary>
    static abstract T Reciprocal(T a);

    /// <summary>The smaller; when <paramref name="b"/> is NaN the result is NaN.</summary>
    static abstract T Min(T a, T b);

    /// <summary>The larger; when <paramref name="b"/> is NaN the result is NaN.</summary>
    static abstract T Max(T a, T b);

    /// <summary>Magnitude of each lane.</summary>
    static abstract T Abs(T a);

    /// <summary>The lowest nine bits become sign and exponent: 2ⁿ⁻¹²⁷ for a = 1.5 · 2²³ + n with n = 0 … 254, and 0 for n = 0. The sum that makes such an a rounds n to an integer.</summary>
    static abstract T LowBitsToExponent(T a);

    /// <summary>a &lt; b ? then : otherwise, lane by lane; a comparison with NaN is false.</summary>
    static abstract T IfLess(T a, T b, T then, T otherwise);

    /// <summary>Neighbouring lanes (a, b) become (−b, a): a product with i.</summary>
    static abstract T RotatePairs(T a);

    /// <summary>Four lanes from each of as many rows as fit into a register: row 0's, row 4's, row 8's, row 12's.</summary>
    /// <param name="rows">Addresses; every fourth is read.</param>
    /// <param name="at">Bytes from there to the lanes.</param>
    static abstract T LoadEveryFourth(byte** rows, nint at);

    /// <summary>The first two of each four lanes of a and b, in turns: a0 b0 a1 b1.</summary>
    static abstract T ZipLow(T a, T b);

    /// <summary>The last two of each four lanes of a and b, in turns: a2 b2 a3 b3.</summary>
    static abstract T ZipHigh(T a, T b);

    /// <summary>The lanes' bits, moved up.</summary>
    static abstract T ShiftLeft(T a, int bits);

    /// <summary>The lanes' bits, moved down; zeros follow.</summary>
    static abstract T ShiftRight(T a, int bits);

    /// <summary>The lanes' bits that are set in <paramref name="bits"/>.</summary>
    static abstract T And(T a, uint bits);

    /// <summary>The lanes' bits, those that are set in <paramref name="bits"/> inverted.</summary>
    static abstract T Xor(T a, uint bits);

    /// <summary>Sum of all lanes, in an order that depends on the width only.</summary>
    static abstract float Sum(T a);

    /// <summary>Largest lane.</summary>
    static abstract float Max(T a);
}
