using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Families;

namespace ILGpuDiffusion.Pipelines;

public sealed partial class DiffusionPipeline
{
    /// <summary>The components with int8 weights: quantised on loading, or stored so.</summary>
    public IReadOnlyList<QuantizedComponent> QuantizedComponents => [.. quantizer.Components.Values];

    /// <summary>Quantization of the denoiser, or else of another component.</summary>
    internal QuantizationMode Quantize => QuantizedComponents is [var first, ..] ? first.Mode : QuantizationMode.None;

    /// <summary>The filter of the layers that were quantised on loading; null for all layers, and for a model that is stored in
    /// int8.</summary>
    internal string? QuantizeFilter => QuantizedComponents.Any(c => c.QuantizedLayers > 0) ? options.QuantizeFilter?.Name : null;

    /// <summary>The parts with int8 weights.</summary>
    internal QuantizedParts QuantizedParts => quantizer.Components.Keys.Aggregate(QuantizedParts.None,
        (parts, name) => parts | quantizer.Models[name].Part);

    /// <summary>
    /// Measures, layer by layer, what int8 would cost in accuracy: by component, the worst layers first. Nothing is changed.
    /// </summary>
    /// <param name="mode">What is quantised: weights and activations, or weights alone.</param>
    /// <param name="parts">The parts to measure.</param>
    /// <param name="cancellation">Checked between layers.</param>
    /// <exception cref="InvalidOperationException">The pipeline has no weights, or they are int8 already.</exception>
    public IReadOnlyDictionary<string, IReadOnlyList<LayerNoise>> MeasureQuantization(QuantizationMode mode = QuantizationMode.Int8,
        QuantizedParts parts = QuantizedParts.Denoiser, CancellationToken cancellation = default) =>
        quantizer.Models.Where(model => parts.HasFlag(model.Value.Part)).ToDictionary(model => model.Key,
            model => QuantizationReport.Of(model.Value.Model, mode, Device as CpuDevice, cancellation));

    /// <summary>
    /// Writes the model with its int8 weights as a folder in diffusers' layout, which <see cref="FromPretrained"/> opens without
    /// quantising anything: matrices as <c>weight</c> (Int8 [out, in]) and <c>weight_scale</c> (Float32 [out]), everything else as it is
    /// stored.
    /// </summary>
    /// <param name="folder">A folder that does not exist or is empty.</param>
    /// <remarks>A model's safety checker and image processor are left out. <c>model_index.json</c>, without which no folder opens as a
    /// model, is written last.</remarks>
    /// <exception cref="InvalidOperationException">No component has int8 weights.</exception>
    /// <exception cref="IOException">The folder is not empty, or cannot be written.</exception>
    public void SaveQuantized(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (quantizer.Components.Count == 0)
            throw new InvalidOperationException($"{OutsideText.Line(Name)} has no int8 weights; load it with {nameof(PipelineOptions)}."
                + $"{nameof(PipelineOptions.Quantize)}.");
        var writer = new ModelFolderWriter(source, Variant, Device.LoggerFactory);
        foreach (var (name, component) in quantizer.Components)
            writer.Replace(name, quantizer.Models[name].Model, QuantizationConfig.Key, QuantizationConfig.Of(component.Mode));
        writer.Write(folder);
    }
}
