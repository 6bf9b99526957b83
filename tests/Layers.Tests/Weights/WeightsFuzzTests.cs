using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>
/// 23,000 damaged headers, files, configurations and indices: each loads or gives a <see cref="ModelFileException"/> with a readable
/// message, and no other exception. A failure names its seed.
/// </summary>
public sealed class WeightsFuzzTests : IDisposable
{
    private const string Name = "some.file";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ilgd-fuzz-");

    public void Dispose() => folder.Delete(recursive: true);

    private const string Header = """
        {"__metadata__":{"format":"pt"},"down.0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"down.0.bias":{"dtype":"F16","shape":[2],"data_offsets":[24,28]},
        "ids":{"dtype":"I64","shape":[1,2],"data_offsets":[28,44]},"none":{"dtype":"BF16","shape":[0,4],"data_offsets":[44,44]},"scalar":{"dtype":"U8","shape":[],"data_offsets":[44,45]}}
        """;

    private const int DataBytes = 45;

    private const string Config = """
        {"_class_name":"UNet2DConditionModel","act_fn":"silu","attention_head_dim":[5,10,20],"block_out_channels":[320,640,1280],"addition_embed_type":null,"beta_end":0.012,
        "down_block_types":["DownBlock2D","CrossAttnDownBlock2D"],"flip_sin_to_cos":true,"norm_eps":1e-05,"lambda_min_clipped":-Infinity,"nested":{"a":[{"b":"c\u00e9"}]}}
        """;

    private const string Index = """
        {"metadata":{"total_size":6610960},"weight_map":{"a.weight":"model-00001-of-00002.safetensors","a.bias":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}
        """;

    private const string Pipeline = """
        {"_class_name":"StableDiffusionXLPipeline","_diffusers_version":"0.32.2","feature_extractor":[null,null],"force_zeros_for_empty_prompt":true,
        "scheduler":["diffusers","EulerDiscreteScheduler"],"text_encoder":["transformers","CLIPTextModel"],"unet":["diffusers","UNet2DConditionModel"]}
        """;

    [Fact]
    public void Parse_MutatedHeader_GivesConsistentEntriesOrACleanError() =>
        Fuzz(12_000, Header, ["\"dtype\":", "\"shape\":", "\"data_offsets\":", "\"F32\"", "\"F64\"", "\"F4\"", "\"BOOL\"",
            "\"__metadata__\":", "[0,45]"], bytes =>
    {
        var header = SafetensorsHeader.Parse(bytes, SafetensorsHeader.LengthBytes + bytes.Length + DataBytes, Name);
        long covered = 0;
        foreach (var entry in header.Entries.Values)
        {
            Assert.InRange(entry.Offset, SafetensorsHeader.LengthBytes + bytes.Length,
                SafetensorsHeader.LengthBytes + bytes.Length + DataBytes - entry.Bytes);
            Assert.Equal(entry.Shape.Count * SafetensorsTypes.Bits(entry.StoredType), entry.Bytes * 8);
            covered += entry.Bytes;
        }

        Assert.Equal(DataBytes, covered);
    });

    [Fact]
    public void Open_MutatedFile_StaysInsideTheFileOrGivesACleanError()
    {
        string path = Path.Combine(folder.FullName, "model.safetensors");
        var lengths = new Mutator(7);
        int run = 0;
        Fuzz(1_500, Header, ["[0,45]", "\"F64\""], bytes =>
        {
            long length = run++ % 4 == 0 ? lengths.Number(bytes.Length) : bytes.Length;
            File.WriteAllBytes(path, [.. BitConverter.GetBytes(length), .. bytes, .. new byte[DataBytes]]);
            using var checkpoint = Checkpoint.Open(path);
            foreach (string name in checkpoint.Names)
            {
                var tensor = checkpoint.Find(name)!;
                Assert.Equal(tensor.Bytes, tensor.Span.Length);
                Assert.Equal(-1, tensor.Span.IndexOfAnyExcept((byte)0)); // every byte is inside the mapping
                if (tensor.File.Entries[name].StoredType == "F32") Assert.Equal(tensor.Shape.Count, tensor.ReadFloats().Length);
            }
        });
    }

    [Fact]
    public void Read_MutatedConfiguration_GivesValuesOrACleanError() =>
        Fuzz(5_000, Config, ["\"attention_head_dim\":", "\"norm_eps\":", "Infinity", "[5,"], bytes =>
    {
        var config = ModelConfig.Parse(bytes, Name);
        foreach (string key in config.Keys)
            foreach (Func<object> read in new Func<object>[]
            {
                () => config.Int(key), () => config.Double(key), () => config.Double(key, double.NegativeInfinity), () => config.Bool(key),
                    () => config.String(key),
                () => config.Ints(key), () => config.Doubles(key), () => config.Strings(key), () => config.IntPerEntry(key, 3),
            })
                Allow(() => read());
    });

    [Fact]
    public void OpenFolder_MutatedIndex_GivesTensorsOrACleanError()
    {
        string path = Path.Combine(folder.FullName, "model.safetensors.index.json");
        File.WriteAllBytes(Path.Combine(folder.FullName, "model-00001-of-00002.safetensors"), Bytes(
            """{"a.weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a.bias":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""",
                2));
        File.WriteAllBytes(Path.Combine(folder.FullName, "model-00002-of-00002.safetensors"),
            Bytes("""{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1));
        Fuzz(1_500, Index, ["\"weight_map\":", "\"model-00002-of-00002.safetensors\"", "\"../x.safetensors\"", "\"/etc/x.safetensors\"",
            "\"model.bin\""], bytes =>
        {
            foreach (string shard in ShardIndex.Parse(ModelConfig.Parse(bytes, Name)).Values) Assert.Equal(shard, Path.GetFileName(shard));
            File.WriteAllBytes(path, bytes);
            using var checkpoint = Checkpoint.OpenFolder(folder.FullName);
            foreach (string name in checkpoint.Names) Assert.Equal(1, checkpoint.Find(name)!.Span.Length);
        });
    }

    [Fact]
    public void ModelFolder_MutatedIndex_OpensOrGivesACleanError() =>
        Fuzz(3_000, Pipeline, ["[null,null]", "[null,\"x\"]", "\"../unet\":", "\"diffusers\"", "[1,2]"], bytes =>
    {
        var model = ModelFolder.Parse(folder.FullName, ModelConfig.Parse(bytes, Name));
        foreach (string name in model.Components.Keys)
        {
            Assert.Equal(name, Path.GetFileName(name));
            Allow(() => model.WeightsOf(name).Dispose());
            Allow(() => model.ConfigOf(name));
        }
    });

    private static byte[] Bytes(string json, int dataBytes) =>
        [.. BitConverter.GetBytes((long)json.Length), .. Encoding.UTF8.GetBytes(json), .. new byte[dataBytes]];

    private static void Fuzz(int runs, string honest, string[] words, Action<byte[]> load)
    {
        byte[] seedBytes = Encoding.UTF8.GetBytes(honest.ReplaceLineEndings(""));
        int refused = 0;
        long longest = 0;
        for (int seed = 0; seed < runs; seed++)
        {
            byte[] bytes = new Mutator(seed, words).Mutate(seedBytes);
            long start = Stopwatch.GetTimestamp();
            try
            {
                if (!Allow(() => load(bytes))) refused++;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException(
                    $"seed {seed}: {e.GetType().Name} for {JsonSerializer.Serialize(Encoding.Latin1.GetString(bytes))}", e);
            }

            longest = Math.Max(longest, Stopwatch.GetTimestamp() - start);
        }

        Assert.InRange(refused, runs / 4, runs - runs / 20); // the mutations must reach both paths
        Assert.InRange(Stopwatch.GetElapsedTime(0, longest).TotalSeconds, 0, 5);
    }

    /// <summary>True if the action succeeds, false for an allowed exception; others pass through.</summary>
    private static bool Allow(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (ModelFileException e)
        {
            Assert.InRange(e.Message.Length, 10, 2_000);
            Assert.False(string.IsNullOrEmpty(e.File));
            return false;
        }
    }
}
