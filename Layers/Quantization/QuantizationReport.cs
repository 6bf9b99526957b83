using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Layers.Quantization;

/// <summary>Measures, layer by layer, what int8 costs in accuracy, so that a filter can leave out the worst. Nothing is changed.</summary>
public static class QuantizationReport
{
    private const int Rows = 16; // of inputs: the ratio of that many times N results varies little

    /// <summary>Measures every layer of a loaded model that can be quantised, the worst results first.</summary>
    /// <param name="model">The model, or any layer of it.</param>
    /// <param name="mode">What is quantised: weights and activations, or weights alone.</param>
    /// <param name="device">Device to measure on; null uses all processors temporarily. The ratios are the same.</param>
    /// <param name="cancellation">Checked between layers.</param>
    /// <exception cref="ArgumentException">The mode is <see cref="QuantizationMode.None"/>.</exception>
    /// <exception cref="InvalidOperationException">The weights were not loaded, or are int8 already.</exception>
    public static IReadOnlyList<LayerNoise> Of(Layer model, QuantizationMode mode = QuantizationMode.Int8, CpuDevice? device = null,
        CancellationToken cancellation = default)
    {
        DynamicQuantization.Require(mode);
        var layers = DynamicQuantization.LayersOf(model);
        if (layers.FirstOrDefault(layer => layer.IsQuantized) is { } quantized)
            throw new InvalidOperationException(
                $"{quantized.Path} has int8 weights already; only the original weights show what quantising them costs.");
        using var own = device is null ? new CpuDevice() : null;
        var result = new List<LayerNoise>();
        foreach (var layer in layers)
        {
            cancellation.ThrowIfCancellationRequested();
            result.Add(Measure(layer, mode, device ?? own!));
        }

        return [.. result.OrderBy(layer => layer.OutputDecibels).ThenBy(layer => layer.Layer.Path, StringComparer.Ordinal)];
    }

    private static LayerNoise Measure(QuantizableLayer layer, QuantizationMode mode, CpuDevice device)
    {
        using var memory = new QuantizedWeights();
        using var quantizer = new WeightQuantizer(device);
        using var scope = new DeviceScope(device);
        var original = layer.Matrix();
        var (weight, scale) = quantizer.Quantize(original, memory);
        var x = scope.Upload(Normal(Rows * layer.InFeatures), [1, Rows, layer.InFeatures]);
        float[] exact = Run(new MatMul(), x, original);
        float[] rounded = mode == QuantizationMode.Int8WeightOnly ? Run(new Int8WeightMatMul(), x, weight, scale)
            : Run(new QuantizedMatMul(), x, weight, scale);
        return new(layer, OfWeights(original, weight, scale, scope), Decibels(exact, rounded));

        float[] Run(Op op, params Tensor[] inputs)
        {
            var y = scope.Allocate(DType.Float32, [1, Rows, layer.OutFeatures]);
            scope.Bind(op, inputs, y).Run();
            return y.Span<float>().ToArray();
        }
    }

    // A few rows at a time, so that no widened copy of a large matrix exists.
    private static double OfWeights(Tensor original, Tensor weight, Tensor scale, DeviceScope scope)
    {
        var wide = scope.Allocate(DType.Float32, [1, original.Width]);
        double signal = 0, noise = 0;
        for (int row = 0; row < original.Rows; row++)
        {
            var stored = new Tensor(original.Buffer, original.Offset + (long)row * original.Width * original.DType.Size(), original.DType,
                [1, original.Width]);
            scope.Bind(new Cast(DType.Float32), [stored], wide).Run();
            var values = wide.Span<float>();
            var integers = weight.Span<sbyte>().Slice(row * original.Width, original.Width);
            double factor = scale.Span<float>()[row];
            for (int i = 0; i < values.Length; i++)
            {
                signal += (double)values[i] * values[i];
                noise += Math.Pow(values[i] - integers[i] * factor, 2);
            }
        }

        return Ratio(signal, noise);
    }

    private static double Decibels(float[] exact, float[] rounded)
    {
        double signal = 0, noise = 0;
        for (int i = 0; i < exact.Length; i++)
        {
            signal += (double)exact[i] * exact[i];
            noise += Math.Pow((double)exact[i] - rounded[i], 2);
        }

        return Ratio(signal, noise);
    }

    private static double Ratio(double signal, double noise) => noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / noise);

    // The same numbers for every layer and in every run.
    private static float[] Normal(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ =>
            (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
