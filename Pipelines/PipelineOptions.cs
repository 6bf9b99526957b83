using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Requests;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines;

/// <summary>How a pipeline is loaded.</summary>
public sealed record PipelineOptions
{
    /// <summary>
    /// The device to run on: one that the caller opened and keeps open (<see cref="DeviceCatalog.Open"/>), or <see cref="Device.Best"/>,
    /// which is shared. Null opens the best device for this pipeline alone and closes it with the pipeline.
    /// </summary>
    public Device? Device { get; init; }

    /// <summary>
    /// The type that the models compute in; null takes the device's <see cref="Device.PreferredDType"/>. Sums and statistics, the scheduler
    /// and guidance are always float32. <see cref="DiffusionPipeline.Precisions"/> says what each component computes in, and why.
    /// </summary>
    public DType? DType { get; init; }

    /// <summary>
    /// The type that the autoencoder computes in; null takes <see cref="DType"/>, or Float32 in place of Float16 where the configuration
    /// says that Float16 overflows in it (<c>force_upcast</c>). A type that is set is used even there, for autoencoders adapted to Float16.
    /// An image at which Float16 overflows is decoded, or encoded, again in Float32, with a warning.
    /// </summary>
    public DType? VaeDType { get; init; }

    /// <summary>The type that the text encoders compute in; null takes <see cref="DType"/>. Embeddings are Float32.</summary>
    public DType? TextEncoderDType { get; init; }

    /// <summary>
    /// How GEMMs and convolutions of components that compute in Float32 multiply: <see cref="Float32Precision.TensorFloat32"/> is PyTorch's
    /// <c>torch.backends.cuda.matmul.allow_tf32</c> and <c>torch.backends.cudnn.allow_tf32</c>. Such weights are Float32 on the device,
    /// whatever type they are stored in. Attention stays in whole Float32 numbers.
    /// </summary>
    public Float32Precision Float32Precision { get; init; }

    /// <summary>
    /// Which weight files to load where a folder has several, such as <c>fp16</c>; null takes the plain ones, or the only ones.
    /// </summary>
    public string? Variant { get; init; }

    /// <summary>
    /// Whether weights are loaded. Without them, and without their files, a pipeline can only show its plans and tune them
    /// (<see cref="DiffusionPipeline.InspectAsync"/>, <see cref="DiffusionPipeline.TuneAsync"/>).
    /// </summary>
    public bool LoadWeights { get; init; } = true;

    /// <summary>
    /// Whether text encoders, denoiser and autoencoder are in the device's memory one at a time, as with diffusers'
    /// <c>enable_model_cpu_offload</c>: this needs less memory, and uploads the weights again for each image.
    /// </summary>
    public bool Offload { get; init; }

    /// <summary>
    /// Whether linear layers and 1×1 convolutions multiply in int8: half the memory of 16-bit weights, faster, with slightly different
    /// images.
    /// </summary>
    public QuantizationMode Quantize { get; init; }

    /// <summary>The parts whose layers are quantised.</summary>
    public QuantizedParts QuantizeParts { get; init; } = QuantizedParts.Denoiser;

    /// <summary>The layers that are quantised; null for <see cref="QuantizationFilter.All"/>.</summary>
    public QuantizationFilter? QuantizeFilter { get; init; }

    /// <summary>
    /// How the models are compiled before they first run, as if <c>Compile</c> had been called on each: with all passes by default, with
    /// none for <see cref="CompileOptions.Eager"/>. Later calls on a model override this for that model.
    /// </summary>
    public CompileOptions Compile { get; init; } = new();

    /// <summary>
    /// How attention is computed, such as <see cref="AttentionBackend.MemoryEfficient"/>; by default the device's best implementation.
    /// <see cref="Layer.SetAttentionBackend"/> chooses for single models and layers afterwards, and <c>Attention.Use</c> for a scope. A
    /// choice that the device does not support is a <see cref="DeviceException"/> when a request needs it.
    /// </summary>
    public AttentionOptions Attention { get; init; }

    /// <summary>
    /// Makes the loggers for the pipeline's messages, and for those of the device that it opens; a device that it is given keeps its own.
    /// Null takes the factory of the given device, else <see cref="TraceLoggerFactory"/>. Warnings are what somebody should know,
    /// information is about work that takes a while, debug is the rest.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>
    /// The scheduler of requests that set none: a class name of diffusers or a short name such as <c>dpmpp_2m_karras</c>. Null takes the
    /// model's own.
    /// </summary>
    public string? Scheduler { get; init; }

    /// <summary>Encodes and decodes images in tiles, for requests that do not say; null processes whole images.</summary>
    public VaeTiling? VaeTiling { get; init; }

    /// <summary>
    /// Files of compiled kernels that <see cref="ModelPack"/> or <c>ilgd pack</c> made for this model and the device: what is in them is
    /// not compiled. The device keeps them. Their contents are run by its driver, so use files that you trust as you trust programs.
    /// </summary>
    public IReadOnlyList<string> Pack { get; init; } = [];

    /// <summary>What is taken from elsewhere than the model's own file or folder: autoencoder, tokenizers, configurations.</summary>
    public ModelSourceOptions? Source { get; init; }
}
