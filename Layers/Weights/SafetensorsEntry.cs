using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>One tensor of a safetensors file: type, shape and location. Created by the reader, which has checked every field.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="StoredType">Its element type as named in the file: <c>F32</c>, <c>BF16</c>, <c>U8</c> …</param>
/// <param name="Shape">Its sizes, outermost first.</param>
/// <param name="Offset">Offset of its first byte in the file. Not necessarily a multiple of the element size.</param>
/// <param name="Bytes">Its size in bytes.</param>
public sealed record SafetensorsEntry(string Name, string StoredType, Shape Shape, long Offset, long Bytes)
{
    /// <summary>The engine's element type, or null if the file's type has no counterpart (F64, F8_E4M3, U8, BOOL …).</summary>
    public DType? DType => SafetensorsTypes.ToDType(StoredType);
}
