using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ILGpuDiffusion.Equivalence;

/// <summary>Converts a model's float32 weights to bfloat16 by truncation.</summary>
internal static class NarrowWeights
{
    /// <summary>Copies a model's folder.</summary>
    public static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (Path.GetExtension(file) == ".safetensors") Narrow(file, copy);
            else File.Copy(file, copy);
        }
    }

    private static void Narrow(string from, string to)
    {
        byte[] file = File.ReadAllBytes(from);
        int start = 8 + checked((int)BinaryPrimitives.ReadInt64LittleEndian(file));
        var header = JsonNode.Parse(file.AsSpan(8..start))!.AsObject();
        foreach (var (name, tensor) in header.Where(t => t.Key != "__metadata__"))
        {
            if ((string?)tensor!["dtype"] != "F32") throw new NotSupportedException($"{from}: {name} is {tensor["dtype"]}, not F32.");
            tensor["dtype"] = "BF16";
            tensor["data_offsets"] = new JsonArray([.. tensor["data_offsets"]!.AsArray().Select(offset => (JsonNode)((long)offset! / 2))]);
        }

        byte[] head = Encoding.UTF8.GetBytes(header.ToJsonString(new JsonSerializerOptions()));
        Array.Resize(ref head, (head.Length + 7) / 8 * 8);
        for (int i = head.Length - 1; head[i] == 0; i--) head[i] = (byte)' ';
        byte[] values = new byte[(file.Length - start) / 2];
        for (int i = 0; i < values.Length; i += 2) file.AsSpan(start + 2 * i + 2, 2).CopyTo(values.AsSpan(i));
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, head.Length);
        File.WriteAllBytes(to, [.. length, .. head, .. values]);
    }
}
