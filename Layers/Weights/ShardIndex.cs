using System.Text.Json;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>The index of a sharded checkpoint (<c>*.safetensors.index.json</c>): the shard of each tensor.</summary>
internal static class ShardIndex
{
    /// <summary>Tensor name → shard file name. Shard names are plain file names, so they cannot refer outside the index's folder.</summary>
    /// <exception cref="ModelFileException">The index has no usable weight_map.</exception>
    public static Dictionary<string, string> Parse(ModelConfig index)
    {
        if (index.Find("weight_map") is not { ValueKind: JsonValueKind.Object } map)
            throw new ModelFileException(index.File, "has no object 'weight_map' (tensor name → shard file).");
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            foreach (var pair in map.EnumerateObject())
            {
                if (pair.Value.ValueKind != JsonValueKind.String)
                    throw new ModelFileException(index.File,
                        $"weight_map {Text.Quote(pair.Name)} is a JSON {pair.Value.ValueKind}; it must be the name of a shard file.");
                if (!shards.TryAdd(pair.Name, CheckName(index, pair.Name, pair.Value.GetString()!)))
                    throw new ModelFileException(index.File, $"weight_map lists the tensor {Text.Quote(pair.Name)} twice.");
            }
        }
        catch (InvalidOperationException e)
        {
            throw new ModelFileException(index.File, $"weight_map is not valid text ({e.Message})", e);
        }

        return shards.Count > 0 ? shards : throw new ModelFileException(index.File, "has an empty weight_map.");
    }

    private static string CheckName(ModelConfig index, string tensor, string shard)
    {
        if (!PlainName.Is(shard))
            throw new ModelFileException(index.File,
                $"the shard of tensor {Text.Quote(tensor)} is {Text.Quote(shard)}; it must be the name of a file in the same folder.");
        if (!shard.EndsWith(".safetensors", StringComparison.Ordinal))
            throw new ModelFileException(index.File,
                $"the shard of tensor {Text.Quote(tensor)} is {Text.Quote(shard)}; it must be a .safetensors file.");
        return shard;
    }
}
