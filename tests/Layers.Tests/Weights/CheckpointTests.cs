using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

public sealed class CheckpointTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ilgd-checkpoint-");

    public void Dispose() => folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(folder.FullName, name);

    /// <summary>A file whose tensors all hold one value, which identifies the file.</summary>
    private void Save(string name, float value, params string[] tensors)
    {
        var writer = new SafetensorsWriter();
        foreach (string tensor in tensors.DefaultIfEmpty("w")) writer.Add(tensor, DType.Float32, [1], new[] { value });
        writer.Save(At(name));
    }

    private void SaveIndex(string name, params (string Tensor, string Shard)[] map) =>
        File.WriteAllText(At(name), $"{{\"weight_map\":{{{string.Join(',', map.Select(m => $"\"{m.Tensor}\":\"{m.Shard}\""))}}}}}");

    private ModelFileException Refused(string message, string? variant = null)
    {
        var error = Assert.Throws<ModelFileException>(() => Checkpoint.OpenFolder(folder.FullName, variant));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(folder.FullName, error.Message, StringComparison.Ordinal);
        return error;
    }

    [Theory]
    [InlineData("diffusion_pytorch_model.safetensors", null)]
    [InlineData("model.safetensors", null)]
    [InlineData("model.fp16.safetensors", "fp16")]
    [InlineData("model.fp16.safetensors", null)]
    [InlineData("diffusion_pytorch_model.bf16.safetensors", "bf16")]
    [InlineData("diffusion_pytorch_model.non_ema.safetensors", null)]
    public void OpenFolder_SingleFile_IsFound(string name, string? variant)
    {
        Save(name, 3);
        using var checkpoint = Checkpoint.OpenFolder(folder.FullName, variant);
        Assert.Equal(3, checkpoint.Find("w")!.ReadFloats()[0]);
    }

    [Theory]
    [InlineData("diffusion_pytorch_model.safetensors.index.json", null)]
    [InlineData("model.safetensors.index.json", null)]
    [InlineData("diffusion_pytorch_model.fp16.safetensors.index.json", "fp16")]
    [InlineData("diffusion_pytorch_model.safetensors.index.fp16.json", "fp16")]
    [InlineData("diffusion_pytorch_model.safetensors.index.fp16.json", null)]
    [InlineData("model.safetensors.index.fp16.json", null)]
    public void OpenFolder_Shards_AreFound(string index, string? variant)
    {
        Save("part-1.safetensors", 1, "a", "b");
        Save("part-2.safetensors", 2, "c");
        SaveIndex(index, ("a", "part-1.safetensors"), ("b", "part-1.safetensors"), ("c", "part-2.safetensors"));
        using var checkpoint = Checkpoint.OpenFolder(folder.FullName, variant);
        Assert.Equal(["a", "b", "c"], checkpoint.Names.Order());
        Assert.Equal(2, checkpoint.Find("c")!.ReadFloats()[0]);
    }

    [Fact]
    public void OpenFolder_ManyFiles_TakesTheDocumentedOrder()
    {
        // From the last choice to the first; each added file has precedence.
        string[] order =
        [
            "model.zz.safetensors", "diffusion_pytorch_model.zz.safetensors", "model.fp32.safetensors", "model.bf16.safetensors",
                "model.fp16.safetensors",
            "diffusion_pytorch_model.fp16.safetensors", "model.safetensors", "diffusion_pytorch_model.safetensors",
        ];
        for (int i = 0; i < order.Length; i++)
        {
            Save(order[i], i);
            using var checkpoint = Checkpoint.OpenFolder(folder.FullName);
            Assert.Equal(At(order[i]), checkpoint.Source);
        }

        using var variant = Checkpoint.OpenFolder(folder.FullName, "fp16");
        Assert.Equal(At("diffusion_pytorch_model.fp16.safetensors"), variant.Source);
        Refused("no weights of the variant 'int8'; the plain files are there, and the variants 'fp16', 'bf16', 'fp32', 'zz'.", "int8");
    }

    [Fact]
    public void OpenFolder_VariantMissing_SaysWhatIsThere()
    {
        Save("model.fp16.safetensors", 1);
        Refused("no weights of the variant 'bf16'; there are no plain files, and the variants 'fp16'.", "bf16");
    }

    [Theory]
    [InlineData("model-00001-of-00002.safetensors")]
    [InlineData("model.fp16-00001-of-00002.safetensors")]
    [InlineData("diffusion_pytorch_model-00001-of-00002.fp16.safetensors")]
    public void OpenFolder_ShardWithoutIndex_IsNotTakenForTheWhole(string shard)
    {
        Save(shard, 1);
        Refused($"found '{shard}', shards without their index.");
    }

    [Fact]
    public void OpenFolder_WithoutWeights_SaysWhatIsThere()
    {
        Refused("has no weights: expected diffusion_pytorch_model.safetensors, model.safetensors");
        File.WriteAllText(At("config.json"), "{}");
        Save("other.safetensors", 1);
        Refused("found 'other.safetensors'");
        File.WriteAllText(At("diffusion_pytorch_model.bin"), "");
        Refused("has only 'diffusion_pytorch_model.bin'; pickle files are not read");
        Assert.Contains("does not exist", Assert.Throws<ModelFileException>(() => Checkpoint.OpenFolder(At("no"))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", "../part.safetensors", "it must be the name of a file in the same folder")]
    [InlineData("a", "sub/part.safetensors", "it must be the name of a file in the same folder")]
    [InlineData("a", "..\\\\part.safetensors", "it must be the name of a file in the same folder")]
    [InlineData("a", "/etc/part.safetensors", "it must be the name of a file in the same folder")]
    [InlineData("a", "C:part.safetensors", "it must be the name of a file in the same folder")]
    [InlineData("a", "..", "it must be the name of a file in the same folder")]
    [InlineData("a", "", "it must be the name of a file in the same folder")]
    [InlineData("a", "x\\u0000.safetensors", "it must be the name of a file in the same folder")]
    [InlineData("a", "\\ud800.safetensors", "not valid text")]
    [InlineData("a", "part.bin", "it must be a .safetensors file")]
    [InlineData("a", "gone.safetensors", "names the shard 'gone.safetensors', which is missing")]
    [InlineData("b", "part.safetensors", "says that tensor 'b' is in 'part.safetensors', which does not have it")]
    [InlineData("a\":\"part.safetensors\",\"a", "part.safetensors", "lists the tensor 'a' twice")]
    public void OpenFolder_UnusableShardName_IsRefused(string tensor, string shard, string message)
    {
        Save("part.safetensors", 1, "a");
        SaveIndex("model.safetensors.index.json", (tensor, shard));
        Refused(message);
    }

    [Theory]
    [InlineData("{}", "has no object 'weight_map'")]
    [InlineData("""{"weight_map":[]}""", "has no object 'weight_map'")]
    [InlineData("""{"weight_map":{}}""", "has an empty weight_map")]
    [InlineData("""{"weight_map":{"a":1}}""", "weight_map 'a' is a JSON Number; it must be the name of a shard file")]
    [InlineData("""{"weight_map":{"a":"x.safetensors"}""", "is not valid JSON")]
    [InlineData("""[]""", "must be an object")]
    public void OpenFolder_InvalidIndex_IsRefused(string json, string message)
    {
        File.WriteAllText(At("model.safetensors.index.json"), json);
        Refused(message);
    }

    [Fact]
    public void Open_DamagedShard_NamesTheShard()
    {
        File.WriteAllBytes(At("part.safetensors"), new byte[8]);
        SaveIndex("model.safetensors.index.json", ("a", "part.safetensors"));
        Refused("part.safetensors: the header must be");
    }

    [Fact]
    public void Open_TensorInTwoShards_TakesTheOneOfTheIndexAndListsUnindexedTensors()
    {
        Save("part-1.safetensors", 1, "a", "c", "extra");
        Save("part-2.safetensors", 2, "a", "b");
        SaveIndex("model.safetensors.index.json", ("a", "part-2.safetensors"), ("b", "part-2.safetensors"), ("c", "part-1.safetensors"));
        using var checkpoint = Checkpoint.OpenFolder(folder.FullName);
        Assert.Equal(2, checkpoint.Find("a")!.ReadFloats()[0]);
        Assert.Equal(1, checkpoint.Find("c")!.ReadFloats()[0]);
        Assert.Equal(["a", "b", "c", "extra"], checkpoint.Names.Order());
        Assert.Null(checkpoint.Find("d"));
    }

    [Fact]
    public void WeightSource_OfACheckpoint_GivesTheMappedBytesAsTensors()
    {
        var writer = new SafetensorsWriter();
        writer.Add("w", DType.Float32, [2, 3], new float[] { 1, 2, 3, 4, 5, 6 });
        writer.Add("none", DType.Float16, [0], Array.Empty<float>());
        writer.Save(At("model.safetensors"));
        using var checkpoint = Checkpoint.OpenFolder(folder.FullName);
        IWeightSource source = checkpoint;
        Assert.Equal((At("model.safetensors"), "none w"), (source.Location, string.Join(' ', source.Names.Order())));
        Assert.Null(source.Find("v"));
        Assert.Equal([1, 2, 3, 4, 5, 6], source.Find("w")!.Span<float>().ToArray());
        Assert.Equal("Float32[2, 3]", source.Find("w")!.ToString());
        Assert.Equal(0, source.Find("none")!.Shape.Count);
    }

    [Fact]
    public void Open_PositionIds_AreIgnored()
    {
        var writer = new SafetensorsWriter();
        writer.Add("text_model.embeddings.position_ids", DType.Int64, [1, 1], stream => stream.Write(new byte[8]));
        writer.Add("text_model.w", DType.Float32, [1], new float[1]);
        writer.Save(At("model.safetensors"));
        using var checkpoint = Checkpoint.OpenFolder(folder.FullName);
        Assert.Equal(["text_model.w"], checkpoint.Names);
    }

    [Fact]
    public void Open_TensorBeyond4GB_IsRead()
    {
        const long gap = (1L << 32) + 12345;
        string header = $$$"""{"big":{"dtype":"I8","shape":[3,{{{gap / 3}}}],"data_offsets":[0,{{{gap / 3 * 3}}}]},"end":{"dtype":"F32","shape":[1],"data_offsets":[{{{gap / 3 * 3}}},{{{gap / 3 * 3 + 4}}}]}}""";
        using (var stream = File.Create(At("model.safetensors"))) // sparse, so it takes no space on disk
        {
            stream.Write(BitConverter.GetBytes((long)header.Length));
            stream.Write(System.Text.Encoding.ASCII.GetBytes(header));
            stream.Position += gap / 3 * 3;
            stream.Write(BitConverter.GetBytes(0.75f));
        }

        using var checkpoint = Checkpoint.OpenFolder(folder.FullName);
        Assert.Equal(0.75f, checkpoint.Find("end")!.ReadFloats()[0]);
        Assert.Contains("more than one span can hold", Assert.Throws<ModelFileException>(() => checkpoint.Find("big")!.Span.Length).Message,
            StringComparison.Ordinal);
    }
}
