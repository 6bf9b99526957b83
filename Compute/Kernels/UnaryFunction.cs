namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The activations that models name. s(x) = 1 / (1 + exp(−x)).</summary>
public enum UnaryFunction
{
    /// <summary>x · s(x), also called swish.</summary>
    Silu,

    /// <summary>x · Φ(x) = x/2 · (1 + erf(x / √2)), exact form.</summary>
    Gelu,

    /// <summary>x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), "gelu_new", "gelu_pytorch_tanh", "gelu-approximate".</summary>
    GeluTanh,

    /// <summary>x · s(1.702 x), as in OpenAI's CLIP.</summary>
    QuickGelu,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>Hyperbolic tangent.</summary>
    Tanh,

    /// <summary>s(x).</summary>
    Sigmoid,

    /// <summary>ln(1 + exp(x)); x itself above 20, as in PyTorch.</summary>
    Softplus,

    /// <summary>x · tanh(softplus(x)).</summary>
    Mish,

    /// <summary>eˣ; infinity above float's range.</summary>
    Exp,
}
