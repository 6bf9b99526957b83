using System.Text.Json;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>
/// The key <c>quantization_config</c> in the config.json of a component stored in int8, with torchao's names of the kinds.
/// </summary>
internal static class QuantizationConfig
{
    /// <summary>The key.</summary>
    public const string Key = "quantization_config";

    private const string Method = "quant_method", Own = "ilgpudiffusion";
    private const string Type = "quant_type", Dynamic = "int8_dynamic_activation_int8_weight", WeightOnly = "int8_weight_only";

    /// <summary>The kind that a configuration names; dynamic int8 if it names none.</summary>
    /// <exception cref="ModelFileException">It names another one.</exception>
    public static QuantizationMode Read(ModelConfig config)
    {
        if (!IsOwn(config)) return QuantizationMode.Int8;
        var section = config.Section(Key);
        return section.String(Type) switch
        {
            Dynamic => QuantizationMode.Int8,
            WeightOnly => QuantizationMode.Int8WeightOnly,
            _ => throw section.Wrong(Type, $"{Dynamic} or {WeightOnly}"),
        };
    }

    /// <summary>The configuration without the key, if that is this library's; models refuse those of other programs.</summary>
    public static ModelConfig Without(ModelConfig config) =>
        IsOwn(config) ? config.With([new(Key, JsonElement.Parse("null"))]) : config;

    private static bool IsOwn(ModelConfig config) =>
        config.Find(Key) is { ValueKind: JsonValueKind.Object }
            && config.Section(Key).Find(Method) is { ValueKind: JsonValueKind.String } method && method.ValueEquals(Own);

    /// <summary>What is written for a kind.</summary>
    public static JsonObject Of(QuantizationMode mode) => new()
    {
        [Method] = Own,
        [Type] = mode == QuantizationMode.Int8WeightOnly ? WeightOnly : Dynamic,
    };
}
