using System.Buffers.Binary;
using System.Text;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Writes safetensors files of types that <see cref="SafetensorsWriter"/> does not write, such as 8-bit floats.</summary>
internal static class RawSafetensors
{
    /// <summary>Writes a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">Names, stored types, sizes, and bytes.</param>
    public static void Write(string path, params (string Name, string Type, int[] Shape, byte[] Bytes)[] tensors)
    {
        var entries = new List<string>();
        int offset = 0;
        foreach (var (name, type, shape, bytes) in tensors)
            entries.Add($$"""{{'"'}}{{name}}":{"dtype":"{{type}}","shape":[{{string.Join(',', shape)}}],"data_offsets":[{{offset}},{{offset += bytes.Length}}]}""");
        byte[] json = Encoding.UTF8.GetBytes($"{{{string.Join(',', entries)}}}"), length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        File.WriteAllBytes(path, [.. length, .. json, .. tensors.SelectMany(t => t.Bytes)]);
    }

    /// <summary>Little-endian bytes of doubles.</summary>
    public static byte[] F64(params double[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    /// <summary>Little-endian bytes of floats.</summary>
    public static byte[] F32(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];
}
