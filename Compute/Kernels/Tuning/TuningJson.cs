using System.Text.Json.Serialization;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>JSON serialisation of tuning tables, generated at build time: trimmed programs have no reflection for it.</summary>
[JsonSerializable(typeof(TuningFile))]
internal sealed partial class TuningJson : JsonSerializerContext;
