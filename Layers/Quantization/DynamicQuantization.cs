using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Layers.Quantization;

/// <summary>
/// Dynamic int8 quantisation of linear layers: weights are quantised once, symmetrically per output channel; activations in every run,
/// symmetrically per row (per token). Half the memory of 16-bit weights, and integer GEMMs. As torchao's
/// <c>int8_dynamic_activation_int8_weight</c> in diffusers' guide.
/// </summary>
public static class DynamicQuantization
{
    /// <summary>Quantises the linear layers of a model whose weights are loaded. Pipelines trace its graphs again.</summary>
    /// <param name="model">The model, or any layer of it.</param>
    /// <param name="filter">The layers to quantise; null selects those with more than 16 input features, as smaller ones gain
    /// nothing.</param>
    /// <param name="device">Device whose threads quantise and whose memory holds the weights; null uses all processors temporarily.</param>
    /// <param name="loggerFactory">For the device that is opened if none is given; null is <see cref="TraceLoggerFactory"/>.</param>
    /// <returns>The quantised weights' memory, to be disposed with the model.</returns>
    /// <remarks>The pages of a mapped file with the original weights are released immediately: both copies are never in memory
    /// together.</remarks>
    /// <exception cref="InvalidOperationException">The weights were not loaded.</exception>
    /// <exception cref="DeviceException">Out of memory. The model is unchanged.</exception>
    public static QuantizedWeights Apply(
        Layer model, Func<Linear, bool>? filter = null, CpuDevice? device = null, ILoggerFactory? loggerFactory = null)
    {
        const int LeastFeatures = 16;
        ArgumentNullException.ThrowIfNull(model);
        filter ??= linear => linear.InFeatures > LeastFeatures;
        using var own = device is null ? new CpuDevice(loggerFactory: loggerFactory) : null;
        var result = new QuantizedWeights();
        try
        {
            using var quantizer = new WeightQuantizer(device ?? own!);
            // Layers are changed only after all are quantised: after a failure none may read memory that is freed below.
            Action[] changes = [.. Linears(model).Where(l => !l.IsQuantized && filter(l))
                .Select(linear => linear.Quantize(quantizer, result))];
            foreach (var change in changes) change();
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    private static IEnumerable<Linear> Linears(Layer layer) =>
        layer.Children.SelectMany(Linears).Prepend(layer).OfType<Linear>().Distinct();
}
