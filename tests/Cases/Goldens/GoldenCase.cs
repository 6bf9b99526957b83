using System.Text.Json;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Cases;

/// <summary>One recorded run: inputs and outputs of the reference library. Values are read from the file at each call.</summary>
public sealed class GoldenCase
{
    private readonly SafetensorsFile file;

    internal GoldenCase(string set, JsonElement json, SafetensorsFile file)
    {
        this.file = file;
        Json = json;
        Id = json.GetProperty("id").GetString()!;
        Name = $"{set} {Id}";
        Inputs = Tensors("inputs");
        Outputs = Tensors("outputs");
    }

    /// <summary>The case's id inside its set.</summary>
    public string Id { get; }

    /// <summary>Set and id, for messages.</summary>
    public string Name { get; }

    /// <summary>The whole case: schedulers keep class_name, variant, extra_args … beside params.</summary>
    public JsonElement Json { get; }

    /// <summary>The arguments given to the library; <c>ValueKind</c> is Undefined where a case has none.</summary>
    public JsonElement Params => Json.TryGetProperty("params", out var value) ? value : default;

    /// <summary>The input tensors, by name.</summary>
    public IReadOnlyDictionary<string, GoldenTensor> Inputs { get; }

    /// <summary>The output tensors, by name; sub-modules as <c>act/NAME</c>.</summary>
    public IReadOnlyDictionary<string, GoldenTensor> Outputs { get; }

    /// <summary>An input's values as floats.</summary>
    public float[] Input(string name) => file.ReadFloats(Known(Inputs, name).Key);

    /// <summary>An input's integers (or booleans as 0 and 1).</summary>
    public long[] InputLongs(string name) => file.ReadLongs(Known(Inputs, name).Key);

    /// <summary>An input's shape.</summary>
    public Shape InputShape(string name) => Known(Inputs, name).Shape;

    /// <summary>An output's values as floats.</summary>
    public float[] Output(string name) => file.ReadFloats(Known(Outputs, name).Key);

    /// <summary>An output's values as doubles: exact for F64 too.</summary>
    public double[] OutputDoubles(string name) => file.ReadDoubles(Known(Outputs, name).Key);

    /// <summary>An output's integers.</summary>
    public long[] OutputLongs(string name) => file.ReadLongs(Known(Outputs, name).Key);

    /// <summary>An output's shape.</summary>
    public Shape OutputShape(string name) => Known(Outputs, name).Shape;

    /// <summary>Compares values with a recorded output: fails the test unless max |actual − expected| ≤ tolerance · rms.</summary>
    /// <param name="name">The output's name.</param>
    /// <param name="actual">The values in the recorded order (images NCHW).</param>
    /// <param name="relativeToRms">The tolerance, as a part of the recorded rms.</param>
    /// <returns>The largest difference divided by the rms.</returns>
    public double Check(string name, ReadOnlySpan<float> actual, double relativeToRms)
    {
        var tensor = Known(Outputs, name);
        return Close.Check($"{Name}: {name} {tensor.Shape}", actual, Output(name), relativeToRms, tensor.Rms);
    }

    /// <summary>The id, which test explorers show.</summary>
    public override string ToString() => Id;

    private Dictionary<string, GoldenTensor> Tensors(string part) =>
        Json.TryGetProperty(part, out var tensors) && tensors.ValueKind == JsonValueKind.Object
            ? tensors.EnumerateObject().ToDictionary(t => t.Name, t => GoldenTensor.Parse(t.Name, t.Value)) : [];

    private GoldenTensor Known(IReadOnlyDictionary<string, GoldenTensor> tensors, string name) =>
        tensors.TryGetValue(name, out var tensor) ? tensor
            : throw new KeyNotFoundException($"{Name} has no '{name}'; it has {string.Join(", ", tensors.Keys)}.");
}
