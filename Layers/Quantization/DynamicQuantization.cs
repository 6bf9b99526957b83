using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Quantization;

/// <summary>
/// Dynamic int8 quantisation of linear layers and 1×1 convolutions: weights are quantised once, symmetrically per output channel;
/// activations in every run, symmetrically per row (per token or pixel). Half the memory of 16-bit weights, and integer GEMMs. As torchao's
/// <c>int8_dynamic_activation_int8_weight</c> in diffusers' guide.
/// </summary>
public static class DynamicQuantization
{
    /// <summary>
    /// Quantises the linear layers and 1×1 convolutions of a model whose weights are loaded. Pipelines trace its graphs again.
    /// </summary>
    /// <param name="model">The model, or any layer of it.</param>
    /// <param name="filter">The layers to quantise; null selects <see cref="QuantizationFilter.All"/>.</param>
    /// <param name="device">Device whose threads quantise and whose memory holds the weights; null uses all processors temporarily.</param>
    /// <param name="loggerFactory">For the device that is opened if none is given; null is <see cref="TraceLoggerFactory"/>.</param>
    /// <param name="mode">What is quantised: weights and activations, or weights alone.</param>
    /// <returns>The quantised weights' memory, to be disposed with the model.</returns>
    /// <remarks>The pages of a mapped file with the original weights are released immediately: both copies are never in memory
    /// together.</remarks>
    /// <exception cref="ArgumentException">The mode is <see cref="QuantizationMode.None"/>.</exception>
    /// <exception cref="InvalidOperationException">The weights were not loaded.</exception>
    /// <exception cref="DeviceException">Out of memory. The model is unchanged.</exception>
    public static QuantizedWeights Apply(
        Layer model, Func<QuantizableLayer, bool>? filter = null, CpuDevice? device = null, ILoggerFactory? loggerFactory = null,
        QuantizationMode mode = QuantizationMode.Int8)
    {
        ArgumentNullException.ThrowIfNull(model);
        Require(mode);
        filter ??= QuantizationFilter.All.Selects;
        using var own = device is null ? new CpuDevice(loggerFactory: loggerFactory) : null;
        var result = new QuantizedWeights();
        try
        {
            using var quantizer = new WeightQuantizer(device ?? own!);
            // Layers are changed only after all are quantised: after a failure none may read memory that is freed below.
            Action[] changes = [.. LayersOf(model).Where(layer => !layer.IsQuantized && filter(layer))
                .Select(layer => layer.Quantize(quantizer, result, weightsOnly: mode == QuantizationMode.Int8WeightOnly))];
            foreach (var change in changes) change();
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Sets how the layers with int8 weights compute; the weights are the same for both kinds.</summary>
    /// <param name="model">The model, or any layer of it.</param>
    /// <param name="mode">With activations in int8, or as they are.</param>
    /// <exception cref="ArgumentException">The mode is <see cref="QuantizationMode.None"/>.</exception>
    public static void SetMode(Layer model, QuantizationMode mode)
    {
        Require(mode);
        foreach (var layer in LayersOf(model)) layer.SetWeightsOnly(mode == QuantizationMode.Int8WeightOnly);
    }

    /// <summary>The layers of a model that can be quantised, quantised or not, in the order of declaration.</summary>
    public static IReadOnlyList<QuantizableLayer> LayersOf(Layer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return [.. Tree(model).OfType<QuantizableLayer>().Where(layer => layer.CanQuantize).Distinct()];

        static IEnumerable<Layer> Tree(Layer layer) => layer.Children.SelectMany(Tree).Prepend(layer);
    }

    /// <summary>Checks that something is to be quantised.</summary>
    internal static void Require(QuantizationMode mode)
    {
        if (mode is not (QuantizationMode.Int8 or QuantizationMode.Int8WeightOnly))
            throw new ArgumentException($"mode is {mode}; it must be {QuantizationMode.Int8} or {QuantizationMode.Int8WeightOnly}.",
                nameof(mode));
    }
}
