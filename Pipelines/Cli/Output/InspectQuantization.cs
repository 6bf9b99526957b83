using System.Globalization;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Output of <c>ilgd inspect --quantize int8 --report</c>: what int8 costs each layer in accuracy.</summary>
internal static class InspectQuantization
{
    /// <summary>Measures and prints.</summary>
    /// <param name="pipeline">The model, as stored.</param>
    /// <param name="options">What would be quantised.</param>
    /// <param name="json">Whether to print JSON.</param>
    /// <param name="cancellation">Checked between layers.</param>
    public static void Print(DiffusionPipeline pipeline, PipelineOptions options, bool json, CancellationToken cancellation)
    {
        var components = pipeline.MeasureQuantization(options.Quantize, options.QuantizeParts, cancellation);
        var filter = options.QuantizeFilter ?? QuantizationFilter.All;
        if (json)
        {
            JsonOutput.Print(new
            {
                model = pipeline.Name,
                quantize = options.Quantize.ToString(),
                filter = filter.Name,
                components = components.Select(component => new
                {
                    name = component.Key,
                    layers = component.Value.Select(layer => new
                    {
                        path = layer.Layer.Path,
                        kind = layer.Layer.GetType().Name,
                        in_features = layer.Layer.InFeatures,
                        out_features = layer.Layer.OutFeatures,
                        weight_decibels = Finite(layer.WeightDecibels),
                        output_decibels = Finite(layer.OutputDecibels),
                        selected = filter.Selects(layer.Layer),
                    }),
                }),
            });
            return;
        }

        foreach (var (name, layers) in components)
        {
            var table = new Listing(name, "kind", ">in", ">out", ">weights dB", ">result dB", filter.Name);
            foreach (var layer in layers)
                table.Add(layer.Layer.Path, layer.Layer.GetType().Name, $"{layer.Layer.InFeatures}", $"{layer.Layer.OutFeatures}",
                    Decibels(layer.WeightDecibels), Decibels(layer.OutputDecibels), filter.Selects(layer.Layer) ? "int8" : "-");
            table.Print();
        }

        Messages.Note("Signal-to-noise ratios, the worst results first, for inputs from a normal distribution; real inputs with outliers "
            + "give less.");
    }

    // JSON has no infinity
    private static double? Finite(double decibels) => double.IsFinite(decibels) ? Math.Round(decibels, 2) : null;

    private static string Decibels(double value) => double.IsFinite(value) ? value.ToString("f1", CultureInfo.InvariantCulture) : "exact";
}
