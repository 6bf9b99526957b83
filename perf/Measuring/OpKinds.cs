using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Measuring;

/// <summary>Names of kinds of op in tables.</summary>
public static class OpKinds
{
    /// <summary>The name of a kind.</summary>
    public static string Name(OpKind kind) => kind switch
    {
        OpKind.MatrixProduct => "linear",
        OpKind.Convolution => "convolution",
        OpKind.Attention => "attention",
        OpKind.Normalization => "norm",
        _ => "other",
    };
}
