using System.Text.Json.Serialization;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>How tuning tables are read and written, generated at build time: a trimmed program has no reflection for it.</summary>
[JsonSerializable(typeof(TuningFile))]
internal sealed partial class TuningJson : JsonSerializerContext;
