using System.Text.Json;
using System.Text.Json.Serialization;

namespace ILGpuDiffusion.Pipelines.Metadata;

/// <summary>Reads JSON numbers and rejects those beyond the range of double: 1e400 would be read as infinity.</summary>
internal sealed class FiniteNumbers : JsonConverter<double>
{
    /// <exception cref="JsonException">The number is too large.</exception>
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double value) && double.IsFinite(value) ? value
            : throw new JsonException("The value must be a finite number.");

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
}
