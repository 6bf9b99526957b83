using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// What a GEMM or convolution applies to its result z (bias included) before writing it: y = f(z + e) · scale + r. e and r are further
/// arguments of the op, in this order, after all others.
/// </summary>
/// <param name="BatchBias">Whether there is an e: one row per batch entry, [n, 1, …, 1, c], such as a time embedding, or one row for
/// all.</param>
/// <param name="Activation">f; null for none.</param>
/// <param name="Scale">Factor, rounded to float32; null for none.</param>
/// <param name="Residual">Whether there is an r, of the result's shape.</param>
public readonly record struct Epilogue(bool BatchBias = false, UnaryFunction? Activation = null, double? Scale = null,
    bool Residual = false)
{
    /// <summary>No epilogue: y = z.</summary>
    public static Epilogue None => default;

    /// <summary>Number of arguments that the epilogue adds to the op's.</summary>
    public int Arguments => (BatchBias ? 1 : 0) + (Residual ? 1 : 0);

    /// <summary>Whether there is nothing to apply: y = z.</summary>
    public bool IsNone => this == None;

    /// <summary>Whether kernels can apply this activation in an epilogue.</summary>
    public static bool Supports(UnaryFunction function) =>
        function is UnaryFunction.Silu or UnaryFunction.Gelu or UnaryFunction.GeluTanh or UnaryFunction.QuickGelu;

    /// <summary>Whether a tensor of type <paramref name="e"/> can be the batch bias of <paramref name="result"/>.</summary>
    public static bool IsBatchBias(TensorType e, TensorType result)
    {
        if (e.DType != result.DType || e.Rank != result.Rank || e.Rank < 2 || !e.Last.Equals(result.Last)) return false;
        for (int i = 1; i < e.Rank - 1; i++)
            if (e.Shape[i].Constant != 1) return false;
        return e.Shape[0].Constant == 1 || e.Shape[0].Equals(result.Shape[0]);
    }

    /// <summary>What it adds to an op's label: <c>+entry+silu+scale+residual</c>, as far as there is each.</summary>
    internal string Label => (BatchBias ? "+entry" : "") + (Activation is { } f ? $"+{f.ToString().ToLowerInvariant()}" : "")
        + (Scale is not null ? "+scale" : "") + (Residual ? "+residual" : "");

    /// <summary>The call without the epilogue's arguments, for a kernel that leaves the epilogue to another launch.</summary>
    internal OpCall Without(OpCall call) => call with { Inputs = call.Inputs[..^Arguments] };

    /// <summary>Throws unless the further arguments match the epilogue and the result.</summary>
    internal void Check(string op, ReadOnlySpan<TensorType> arguments, TensorType result)
    {
        ShapeException.ThrowUnless(Activation is not { } f || Supports(f), op, "activation", Activation!, "one that an epilogue can apply");
        if (BatchBias)
            ShapeException.ThrowUnless(IsBatchBias(arguments[0], result), op, "e", arguments[0], $"one row per entry of {result}");
        if (Residual)
            ShapeException.ThrowUnless(arguments[^1].DType == result.DType && arguments[^1].MayHaveShapeOf(result), op, "r", arguments[^1],
                $"like the result, {result}");
    }
}
