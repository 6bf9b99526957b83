using System.Text;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Files that are no supported model, damaged ones, and hostile ones: one message that says what the file is.</summary>
public sealed class OtherKindsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("a LoRA", "lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight")]
    [InlineData("a LoRA", "unet.down_blocks.0.attentions.0.proj_in.lora_A.weight")]
    [InlineData("a LoRA", "lora_te_text_model_encoder_layers_0_mlp_fc1.hada_w1_a")]
    [InlineData("an IP-Adapter", "ip_adapter.1.to_k_ip.weight")]
    [InlineData("a textual inversion", "emb_params")]
    [InlineData("a ControlNet", "control_model.time_embed.0.weight", "control_model.input_blocks.0.0.weight")]
    [InlineData("a ControlNet", "controlnet_cond_embedding.conv_in.weight", "down_blocks.0.resnets.0.conv1.weight")]
    [InlineData("a Flux model", "double_blocks.0.img_attn.norm.key_norm.scale")]
    [InlineData("a Flux model", "model.diffusion_model.double_blocks.0.img_attn.qkv.weight", "vae.decoder.conv_in.weight")]
    [InlineData("a Flux.2 model", "single_stream_modulation.lin.weight", "double_blocks.0.img_attn.qkv.weight")]
    [InlineData("a Stable Diffusion 3 model", "model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias")]
    [InlineData("a Z-Image or Lumina 2 model", "model.diffusion_model.cap_embedder.0.weight")]
    [InlineData("an autoencoder alone", "decoder.up.0.block.0.conv1.weight", "decoder.mid.block_1.conv1.weight")]
    [InlineData("a UNet alone, without text encoders", "model.diffusion_model.input_blocks.0.0.bias")]
    [InlineData("a UNet alone, under diffusers' names", "down_blocks.0.resnets.0.conv1.weight")]
    [InlineData("a text encoder alone", "text_model.encoder.layers.0.mlp.fc1.weight")]
    [InlineData("a model in scaled 8-bit floats", "model.diffusion_model.input_blocks.1.0.in_layers.2.scale_weight")]
    [InlineData("an image upscaler", "body.0.rdb1.conv1.weight")]
    [InlineData("holds 1 tensors of no known model, such as 'weight'", "weight")]
    [InlineData("holds no tensors")]
    public void Open_OtherKind_SaysWhatItIs(string kind, params string[] names)
    {
        string path = Write(names);
        string message = Assert.Throws<ModelFileException>(() => ModelSource.Open(path)).Message;
        Assert.Contains(kind, message, StringComparison.Ordinal);
        Assert.Contains("Stable Diffusion XL base", message, StringComparison.Ordinal);
        var info = ModelFileInfo.Read(path);
        Assert.Null(info.ClassName);
        if (!kind.StartsWith("holds", StringComparison.Ordinal)) Assert.StartsWith(kind, info.Kind, StringComparison.Ordinal);
        Assert.Equal(names.Length, info.Parts.Sum(part => part.Tensors));
    }

    [Theory]
    [InlineData("PK\u0003\u0004rest", "pickle")]
    [InlineData("GGUF", "GGUF")]
    [InlineData("version https://git-lfs.github.com/spec/v1", "git lfs pull")]
    [InlineData("", "is the download complete?")]
    [InlineData("no model at all", "is this a safetensors file?")]
    public void Open_OtherFormat_SaysWhatItIs(string start, string part)
    {
        string path = Path.Combine(folder.Path, "model.ckpt");
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(start));
        Assert.Contains(part, Assert.Throws<ModelFileException>(() => ModelSource.Open(path)).Message, StringComparison.Ordinal);
        Assert.Contains(part, Assert.Throws<ModelFileException>(() => ModelFileInfo.Read(path)).Message, StringComparison.Ordinal);
    }

    /// <summary>Names, shapes and numbers of blocks of a real file, damaged: a message or a model, and nothing else.</summary>
    [Fact]
    public void Open_DamagedFile_GivesOneMessage()
    {
        string real = OriginalFile.Write(Path.Combine(folder.Path, "real.safetensors"), Golden.Folder("tiny-sdxl"),
            OriginalFile.Layout("Stable Diffusion XL base"));
        (string Name, Shape Shape)[] honest;
        using (var file = SafetensorsFile.Open(real)) honest = [.. file.Entries.Values.Select(e => (e.Name, e.Shape))];
        int whole = 0, damaged = 0;
        for (int seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var writer = new SafetensorsWriter();
            var names = new HashSet<string>();
            foreach (var (name, shape) in honest)
            {
                string written = random.Next(60) > 0 ? name : Damage(name, random);
                var size = random.Next(60) > 0 ? shape : Damage(shape, random);
                if (random.Next(40) > 0 && names.Add(written)) writer.Add(written, DType.Float16, size, new float[size.Count]);
            }

            string path = Path.Combine(folder.Path, "damaged.safetensors");
            writer.Save(path);
            foreach (var attempt in Attempts(path))
                try
                {
                    attempt();
                    whole++;
                }
                catch (ModelFileException e)
                {
                    damaged++;
                    Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
                    Assert.InRange(e.Message.Length, path.Length + 10, 4000);
                }
                catch (Exception e)
                {
                    Assert.Fail($"seed {seed}: {e}");
                }
        }

        Assert.InRange(whole, 60, int.MaxValue);
        Assert.InRange(damaged, 60, int.MaxValue);
    }

    [Fact]
    public void Open_NameOfMegabytes_TakesNoTime()
    {
        string name = "model.diffusion_model." + new string('.', 1 << 20);
        string path = OriginalFile.Write(Path.Combine(folder.Path, "long.safetensors"), Golden.Folder("tiny-sdxl"),
            OriginalFile.Layout("Stable Diffusion XL base"), change: all => all[name] = (Shape.Create([1]), [0]));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        _ = ModelFileInfo.Read(path);
        using var weights = ModelSource.Open(path).WeightsOf("unet");
        Assert.Contains(name, weights.Names);
        Assert.Null(weights.StoredNameOf(name));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 20); // with all prefixes: 500 GB of text
    }

    private static IEnumerable<Action> Attempts(string path)
    {
        yield return () => ModelFileInfo.Read(path);
        foreach (string name in (string[])["unet", "vae", "text_encoder", "text_encoder_2", "scheduler"])
        {
            yield return () => ModelSource.Open(path).ConfigOf(name);
            yield return () =>
            {
                using var weights = ModelSource.Open(path).WeightsOf(name);
                foreach (string tensor in weights.Names) _ = weights.Find(tensor);
            };
        }
    }

    private static string Damage(string name, Random random)
    {
        string[] parts = name.Split('.');
        int at = random.Next(parts.Length);
        return random.Next(5) switch
        {
            0 => string.Join('.', parts.Where((_, i) => i != at)),
            1 => name.Replace(".0.", $".{random.Next(200)}.", StringComparison.Ordinal),
            2 => name + ".",
            3 => "." + name,
            _ => string.Join('.', parts.Select((part, i) => i == at ? part + random.Next(9) : part)),
        };
    }

    private static Shape Damage(Shape shape, Random random) => random.Next(4) switch
    {
        0 => Shape.Create([]),
        1 => Shape.Create([random.Next(1, 9)]),
        2 => Shape.Create([random.Next(0, 3), 0, random.Next(0, 3)]),
        _ => Shape.Create([.. shape.Sizes.ToArray().Select(size => Math.Min(size + random.Next(2), 300))]),
    };

    private string Write(params string[] names) => OriginalFile.Write(Path.Combine(folder.Path, "file.safetensors"),
        names.ToDictionary(name => name, _ => (Shape.Create([2, 2]), new float[4])));
}
