using System.Collections.Immutable;
using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// Number of blocks of each transformer of a UNet, in the forms that diffusers accepts: one number for all, one per resolution, or for a
/// resolution a list of one per transformer; <c>reverse_transformer_layers_per_block</c> then has the same for the up blocks.
/// </summary>
internal sealed class TransformerLayers
{
    private const string DownKey = "transformer_layers_per_block", UpKey = "reverse_transformer_layers_per_block";

    /// <summary>Reads both keys.</summary>
    /// <param name="file">The UNet's config.json.</param>
    /// <param name="layersPerBlock">ResNet blocks of each down block.</param>
    /// <param name="most">The largest number of blocks allowed.</param>
    /// <exception cref="ModelFileException">A value is unusable.</exception>
    public TransformerLayers(ModelConfig file, ImmutableArray<int> layersPerBlock, int most)
    {
        int count = layersPerBlock.Length;
        bool listed = file.Find(DownKey) is { ValueKind: JsonValueKind.Array }, reversed = file.Find(UpKey) is not null;
        JsonElement?[] down = listed ? Entries(file, DownKey, count) : [.. Enumerable.Repeat<JsonElement?>(null, count)];
        int single = listed ? 0 : file.IntWithin(DownKey, 0, most, 1);
        if (!reversed && down.Any(e => e is { ValueKind: JsonValueKind.Array }))
            throw file.Wrong(DownKey, $"numbers; nested lists also need {UpKey}");
        Down = [.. down.Select((entry, i) => Blocks(file, DownKey, entry, single, layersPerBlock[i], most))];
        Mid = Down[^1][0];
        var up = reversed ? Entries(file, UpKey, count) : [.. down.Reverse()];
        Up = [.. up.Select((entry, i) => Blocks(file, reversed ? UpKey : DownKey, entry, single, layersPerBlock[count - 1 - i] + 1, most))];
    }

    /// <summary>Number of blocks of each transformer, by down block, finest first.</summary>
    public ImmutableArray<ImmutableArray<int>> Down { get; }

    /// <summary>Number of blocks of the middle block's transformer.</summary>
    public int Mid { get; }

    /// <summary>Number of blocks of each transformer, by up block, coarsest first.</summary>
    public ImmutableArray<ImmutableArray<int>> Up { get; }

    private static JsonElement?[] Entries(ModelConfig file, string key, int count) =>
        file.Find(key) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() == count
            ? [.. list.EnumerateArray().Select(e => (JsonElement?)e)]
            : throw file.Wrong(key, $"a list of {count}, one entry for each block");

    private static ImmutableArray<int> Blocks(ModelConfig file, string key, JsonElement? entry, int single, int transformers, int most)
    {
        if (entry is not { } value) return [.. Enumerable.Repeat(single, transformers)];
        if (value.ValueKind != JsonValueKind.Array) return [.. Enumerable.Repeat(Number(value), transformers)];
        if (value.GetArrayLength() < transformers)
            throw file.Wrong(key, $"lists of at least {transformers} where a block has as many transformers");
        return [.. value.EnumerateArray().Take(transformers).Select(Number)];

        int Number(JsonElement e) => e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out int n) && n >= 0 && n <= most ? n
            : throw file.Wrong(key, $"whole numbers from 0 to {most}, or lists of them");
    }
}
