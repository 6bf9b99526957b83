using System.Buffers.Binary;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>Converts stored tensors to managed arrays. For small tensors (tables, latents, reference data); weights stay mapped.</summary>
internal static class SafetensorsValues
{
    private delegate T Reader<T>(ReadOnlySpan<byte> element);

    public static float[] Floats(SafetensorsFile file, SafetensorsEntry entry) =>
        Read<float>(file, entry, "a float type", entry.StoredType switch
        {
            "F32" => BinaryPrimitives.ReadSingleLittleEndian,
            "F16" => static e => (float)BinaryPrimitives.ReadHalfLittleEndian(e),
            "BF16" => static e => BFloat16Bits.Widen(BinaryPrimitives.ReadUInt16LittleEndian(e)),
            "F8_E4M3" => static e => EightBitFloats.E4M3(e[0]),
            "F8_E5M2" => static e => EightBitFloats.E5M2(e[0]),
            "F64" => static e => (float)BinaryPrimitives.ReadDoubleLittleEndian(e),
            _ => null,
        });

    public static double[] Doubles(SafetensorsFile file, SafetensorsEntry entry) =>
        entry.StoredType == "F64" ? Read<double>(file, entry, "a float type", BinaryPrimitives.ReadDoubleLittleEndian)
            : Array.ConvertAll(Floats(file, entry), f => (double)f);

    public static long[] Longs(SafetensorsFile file, SafetensorsEntry entry) =>
        Read<long>(file, entry, "an integer type", entry.StoredType switch
        {
            "BOOL" or "U8" => static e => e[0],
            "I8" => static e => (sbyte)e[0],
            "I16" => static e => BinaryPrimitives.ReadInt16LittleEndian(e),
            "U16" => static e => BinaryPrimitives.ReadUInt16LittleEndian(e),
            "I32" => static e => BinaryPrimitives.ReadInt32LittleEndian(e),
            "U32" => static e => BinaryPrimitives.ReadUInt32LittleEndian(e),
            "I64" => BinaryPrimitives.ReadInt64LittleEndian,
            "U64" => e => BinaryPrimitives.ReadUInt64LittleEndian(e) is var value && value <= long.MaxValue
                ? (long)value : throw new ModelFileException(file.Path,
                    $"tensor {Text.Quote(entry.Name)} holds {value}, which does not fit a signed 64-bit integer."),
            _ => null,
        });

    private static T[] Read<T>(SafetensorsFile file, SafetensorsEntry entry, string expected, Reader<T>? reader)
    {
        if (reader is null)
            throw new ModelFileException(file.Path,
                $"tensor {Text.Quote(entry.Name)} is stored as {entry.StoredType}; it must be {expected}.");
        var bytes = file.Bytes(entry); // bounds the count: at most 2 GB, at least a byte per element
        int size = SafetensorsTypes.Bits(entry.StoredType) / 8;
        var values = new T[bytes.Length / size];
        for (int i = 0; i < values.Length; i++) values[i] = reader(bytes.Slice(i * size, size));
        return values;
    }
}
