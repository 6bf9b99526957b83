namespace ILGpuDiffusion.Compute.Ops;

/// <summary>The arithmetic of elementwise chains, over a vector register (CPU) or an element (GPU).</summary>
internal interface IElementMath<T> where T : struct
{
    static abstract T Add(T a, T b);

    static abstract T Subtract(T a, T b);

    static abstract T Multiply(T a, T b);

    static abstract T Divide(T a, T b);

    /// <summary>a · b + c, rounded as <see cref="Affine"/>'s kernel rounds it.</summary>
    static abstract T MultiplyAdd(T a, T b, T c);

    /// <summary>min(high, max(low, x)); NaN stays NaN.</summary>
    static abstract T Clamp(T x, T low, T high);

    static abstract T Silu(T x);

    static abstract T Gelu(T x);

    static abstract T GeluTanh(T x);

    static abstract T QuickGelu(T x);

    static abstract T Relu(T x);

    static abstract T Tanh(T x);

    static abstract T Sigmoid(T x);

    static abstract T Softplus(T x);

    static abstract T Mish(T x);

    static abstract T Exp(T x);
}

/// <summary>Operands and constants of a chain, by slot.</summary>
internal interface IOperands<T> where T : struct
{
    /// <summary>A constant from the op's attributes.</summary>
    T Number(int slot);

    /// <summary>The operand's element for the current element of x.</summary>
    T Each(int slot);

    /// <summary>The operand's only element in this row.</summary>
    T Same(int slot);
}
