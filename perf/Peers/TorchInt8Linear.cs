using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace ILGpuDiffusion.Peers;

/// <summary>
/// libtorch's own int8 layer with float32 activations (FBGEMM): deprecated, but the only one available to TorchScript outside Python.
/// </summary>
internal sealed class TorchInt8Linear : IDisposable
{
    private const string Script = """
        def quantize(w: Tensor):
            return torch.fbgemm_linear_quantize_weight(w)
        def pack(q: Tensor):
            return torch.fbgemm_pack_quantized_matrix(q)
        def linear(x: Tensor, q: Tensor, packed: Tensor, offsets: Tensor, scale: float, zero: int, bias: Tensor):
            return torch.fbgemm_linear_int8_weight_fp32_activation(x, q, packed, offsets, scale, zero, bias)

        """;

    private readonly jit.CompilationUnit unit = jit.compile(Script);
    private readonly Tensor quantised, offsets, packed, bias;
    private readonly double scale;
    private readonly long zero;

    /// <summary>Quantises and packs a weight [out, in].</summary>
    public TorchInt8Linear(Tensor weight, Tensor bias)
    {
        var parts = (System.Runtime.CompilerServices.ITuple)unit.invoke("quantize", weight);
        (quantised, offsets, scale, zero, this.bias) =
            ((Tensor)parts[0]!, (Tensor)parts[1]!, Number(parts[2]).ToDouble(), Number(parts[3]).ToInt64(), bias);
        packed = (Tensor)unit.invoke("pack", quantised);
    }

    /// <summary>x·Wᵀ + b.</summary>
    public Tensor Run(Tensor x) => (Tensor)unit.invoke("linear", x, quantised, packed, offsets, scale, zero, bias);

    /// <summary>TorchScript returns numbers as libtorch's scalars or as .NET's.</summary>
    private static Scalar Number(object? value) =>
        value as Scalar ?? Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture).ToScalar();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in new[] { quantised, offsets, packed }) tensor.Dispose();
        unit.Dispose();
    }
}
