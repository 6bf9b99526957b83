using System.Text.Json;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>The description of a recorded tensor in a set's json.</summary>
/// <param name="Name">Its name in the case: <c>sample</c>, <c>act/mid_block</c> …</param>
/// <param name="Key">Its name in the safetensors file.</param>
/// <param name="Shape">Its sizes as PyTorch had them (images NCHW).</param>
/// <param name="DType">PyTorch's type name: float32, int64, bool …</param>
/// <param name="Rms">Root of the mean square, or null for integers.</param>
/// <param name="MaxAbs">Largest magnitude, or null for integers.</param>
/// <param name="NoiseMaxAbs">Largest difference between the reference's own fp32 and fp64 runs, where recorded.</param>
/// <param name="NoiseRelative">The same divided by <paramref name="Rms"/>: the size of pure rounding noise.</param>
public sealed record GoldenTensor(
    string Name, string Key, Shape Shape, string DType, double? Rms, double? MaxAbs, double? NoiseMaxAbs, double? NoiseRelative)
{
    internal static GoldenTensor Parse(string name, JsonElement json) => new(
        name,
        json.GetProperty("key").GetString()!,
        Shape.Create([.. json.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())]),
        json.GetProperty("dtype").GetString()!,
        Number(json, "rms"), Number(json, "max_abs"), Number(json, "fp32_vs_fp64_max_abs"), Number(json, "fp32_vs_fp64_rel_to_rms"));

    private static double? Number(JsonElement json, string key) =>
        json.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}
