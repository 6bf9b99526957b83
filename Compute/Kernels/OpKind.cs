namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>What an op is to a reader of a profile.</summary>
public enum OpKind
{
    /// <summary>Linear layers, with what quantises their arguments.</summary>
    MatrixProduct,

    /// <summary>Convolutions.</summary>
    Convolution,

    /// <summary>Attention and its softmax.</summary>
    Attention,

    /// <summary>Normalisations.</summary>
    Normalization,

    /// <summary>Functions of single elements or rows.</summary>
    Elementwise,

    /// <summary>Copies, changes of layout, type or size, and look-ups.</summary>
    DataMovement,
}
