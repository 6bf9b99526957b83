namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>The parts of a model to quantise.</summary>
[Flags]
public enum QuantizedParts
{
    /// <summary>No part.</summary>
    None = 0,

    /// <summary>The denoiser, such as a UNet.</summary>
    Denoiser = 1,

    /// <summary>The autoencoder.</summary>
    Vae = 2,

    /// <summary>The text encoders.</summary>
    TextEncoders = 4,
}
