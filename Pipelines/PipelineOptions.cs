using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines;

/// <summary>How a pipeline is loaded.</summary>
public sealed record PipelineOptions
{
    /// <summary>Where it runs: a device that the caller opened and keeps open (<see cref="DeviceCatalog.Open"/>), or <see cref="Device.Best"/>, which all share. Null opens the best device for this pipeline alone, and closes it with the pipeline.</summary>
    public Device? Device { get; init; }

    /// <summary>
    /// The type that the models compute in; null takes the device's own choice, <see cref="Device.PreferredDType"/>. Sums and statistics, the scheduler and
    /// guidance are float32 in any case, and so is an autoencoder that says it needs it (<c>force_upcast</c>).
    /// </summary>
    public DType? DType { get; init; }

    /// <summary>Which weight files to take where a folder has several, such as <c>fp16</c>; null takes the plain ones, or the only ones.</summary>
    public string? Variant { get; init; }

    /// <summary>Whether text encoders, denoiser and autoencoder take turns in the device's memory, as diffusers' <c>enable_model_cpu_offload</c>: needs less of it, and uploads the weights anew for each image.</summary>
    public bool Offload { get; init; }

    /// <summary>Whether the denoiser's linear layers multiply in int8: a half of the memory of 16-bit weights, faster, and slightly other images.</summary>
    public QuantizationMode Quantize { get; init; }

    /// <summary>
    /// How the models are compiled before they first run, as if <c>Compile</c> had been called on each: all passes unless said otherwise, <see cref="CompileOptions.Eager"/> for
    /// none. Later calls on a model replace it for that model.
    /// </summary>
    public CompileOptions Compile { get; init; } = new();

    /// <summary>
    /// Makes the loggers for the pipeline's messages, and for those of a device that it opens; a device that it is given keeps its own.
    /// Null takes the factory of the given device, else <see cref="TraceLoggerFactory"/>. Warnings are what somebody should know, information is
    /// about work that takes a while, debug is the rest.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}
