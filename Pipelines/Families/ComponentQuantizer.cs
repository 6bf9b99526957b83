using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>Quantises the components of one model while it is loaded, and knows those that are stored in int8.</summary>
/// <param name="source">The model.</param>
/// <param name="settings">What is to be quantised, and how.</param>
/// <param name="device">Device that the models run on.</param>
internal sealed class ComponentQuantizer(IModelSource source, ModelSettings settings, Device device) : IDisposable
{
    private readonly List<QuantizedWeights> memory = [];
    private readonly List<QuantizableLayer> candidates = [];
    private readonly Dictionary<string, (Layer Model, QuantizedParts Part)> models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, QuantizedComponent> components = new(StringComparer.Ordinal);

    /// <summary>The components with int8 weights.</summary>
    public IReadOnlyDictionary<string, QuantizedComponent> Components => components;

    /// <summary>The models of all components, and the part of the pipeline that each is.</summary>
    public IReadOnlyDictionary<string, (Layer Model, QuantizedParts Part)> Models => models;

    /// <summary>Quantises a loaded component if the settings say so and it is not stored in int8.</summary>
    /// <exception cref="ArgumentException">A filter is set, and the component is stored in int8.</exception>
    /// <exception cref="ModelFileException">It is stored in int8, and its configuration names a kind that is not supported.</exception>
    public void Apply(string component, Layer model, QuantizedParts part)
    {
        models[component] = (model, part);
        if (!settings.LoadWeights) return;
        var layers = DynamicQuantization.LayersOf(model);
        bool wanted = settings.Quantize != QuantizationMode.None && settings.QuantizeParts.HasFlag(part);
        QuantizedWeights? added = null;
        var mode = settings.Quantize;
        if (layers.Any(layer => layer.IsQuantized))
        {
            if (wanted && settings.QuantizeFilter is { } filter)
                throw new ArgumentException($"{OutsideText.Line(source.Path)}: its {component} is stored in int8, so the filter "
                    + $"{OutsideText.Quote(filter.Name)} has no effect. Leave the filter out, or quantise the original model.");
            mode = wanted ? mode : QuantizationConfig.Read(source.ConfigOf(component));
            DynamicQuantization.SetMode(model, mode);
        }
        else if (wanted)
        {
            candidates.AddRange(layers);
            added = DynamicQuantization.Apply(model, settings.QuantizeFilter is { } chosen ? chosen.Selects : null, device as CpuDevice,
                device.LoggerFactory, mode);
            memory.Add(added);
        }

        if (layers.Count(layer => layer.IsQuantized) is > 0 and var count)
            components[component] = new(component, mode, count, added?.Layers ?? 0, added?.OriginalBytes ?? 0,
                layers.Where(layer => layer.IsQuantized).Sum(layer => layer.Parameters.Sum(p => p.Type.Bytes)));
    }

    /// <summary>Checks, when all is loaded, that every pattern of the filter matched a layer.</summary>
    /// <exception cref="ArgumentException">One matched none.</exception>
    public void CheckFilter()
    {
        if (settings is not { QuantizeFilter: { } filter, LoadWeights: true } || settings.Quantize == QuantizationMode.None) return;
        if (filter.Unmatched(candidates) is { Count: > 0 } unmatched)
            throw new ArgumentException($"{OutsideText.Line(source.Path)}: the filter {OutsideText.List(unmatched)} matches none of the "
                + $"{candidates.Count} layers that can be quantised in {settings.QuantizeParts}, such as "
                + $"{OutsideText.List([.. candidates.Select(layer => layer.Path)], most: 3)}.");
    }

    /// <summary>Frees the quantised weights.</summary>
    public void Dispose()
    {
        foreach (var weights in memory) weights.Dispose();
        memory.Clear();
    }
}
