using System.Text.Json;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Model folders with one change, as found in practice: each gives the same image as the plain folder, or is refused with a message that
/// says why.
/// </summary>
public sealed class ModelFolderVariantTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string Model => Path.Combine(folder.Path, "model");

    /// <summary>Changes that give the same bits as the plain folder.</summary>
    public static TheoryData<string> Same =>
    [
        "mixed-variant", "extra-tensors", "architectures-missing", "architectures-other", "tokenizer-json-only",
            "tokenizer-json-clips-steps", "bare-text-names", "old-vae-names", "crlf",
        "no-safety-folder", "position-ids", "old-block-names", "hub-cache", "hub-cache-without-refs", "whole-clip-config",
            "snapshot-folder", "flax-names",
    ];

    [Theory, MemberData(nameof(Same))]
    public void Folder_InAnotherLayout_DrawsAsThePlainOne(string change)
    {
        TinySd.WriteTo(Model);
        float[] plain = TinySd.Draw(Model);
        string path = Change(change);
        Assert.Equal(plain, TinySd.Draw(path, options: new PipelineOptions { Variant = change == "mixed-variant" ? "fp16" : null }));
    }

    [Theory]
    [InlineData("unet/config.json", "in_channels", "5", true, "in_channels", "is 5", "latent_channels", "is 4", "do not belong together",
        "vae")]
    [InlineData("unet/config.json", "in_channels", "8", true, "'in_channels' is 8", "editing")]
    [InlineData("unet/config.json", "out_channels", "8", true, "'out_channels' is 8", "variance")]
    [InlineData("unet/config.json", "cross_attention_dim", "48", true, "'cross_attention_dim' is 48", "'hidden_size' of", "text_encoder",
        "is 32")]
    [InlineData("unet/config.json", "layers_per_block", "250", false, "of at least", "diffusion_pytorch_model.safetensors holds")]
    [InlineData("vae/config.json", "layers_per_block", "64", false, "of at least 4128 weight tensors",
        "diffusion_pytorch_model.safetensors holds")]
    [InlineData("text_encoder/config.json", "num_hidden_layers", "1000", false, "of at least 16000 weight tensors",
        "model.safetensors holds")]
    [InlineData("text_encoder/config.json", "use_attention_mask", "true", false, "'use_attention_mask' is true")]
    [InlineData("text_encoder/config.json", "hidden_act", "\"tanh\"", false, "'hidden_act' is \"tanh\"",
        "no other activation is supported")]
    [InlineData("model_index.json", "unet", "[\"diffusers\",\"UNet3DConditionModel\"]", false, "of the class UNet2DConditionModel")]
    [InlineData("model_index.json", "tokenizer", "[\"transformers\",\"BertTokenizer\"]", false,
        "of the class CLIPTokenizer or CLIPTokenizerFast")]
    [InlineData("vae/config.json", "scaling_factor", "\"NaN\"", false, "NaN", "a finite number")]
    public void FromPretrained_PartsThatDoNotFit_AreRefused(string file, string key, string value, bool rewrite, params string[] named)
    {
        TinySd.WriteTo(Model);
        TinySd.Edit(Model, file, json => json[key] = JsonNode.Parse(value));
        if (rewrite) TinySd.WriteUNet(Model);
        string message = Assert.Throws<ModelFileException>(() => TinySd.Draw(Model)).Message;
        Assert.All(named, text => Assert.Contains(text, message, StringComparison.Ordinal));
    }

    [Fact]
    public void FromPretrained_UNetOfAnotherPipeline_IsRefused()
    {
        TinySd.WriteTo(Model);
        TinySd.Edit(Model, "unet/config.json",
            json => (json["addition_embed_type"], json["addition_time_embed_dim"], json["projection_class_embeddings_input_dim"]) =
                ("text_time", 8, 88));
        TinySd.WriteUNet(Model);
        Assert.Contains("'addition_embed_type' is \"text_time\"; StableDiffusionPipeline",
            Assert.Throws<ModelFileException>(() => TinySd.Draw(Model)).Message, StringComparison.Ordinal);

        string xl = TinySdxl.CopyTo(Path.Combine(folder.Path, "xl"));
        TinySd.Edit(xl, "unet/config.json", json => json["projection_class_embeddings_input_dim"] = 96);
        File.Delete(Path.Combine(xl, "unet", "diffusion_pytorch_model.safetensors"));
        TinySd.WriteUNet(xl);
        string message = Assert.Throws<ModelFileException>(() => TinySd.Draw(xl)).Message;
        Assert.All(["is 96", "take 48 and leave 48", "text_encoder_2", "is 40"],
            text => Assert.Contains(text, message, StringComparison.Ordinal));
        TinySd.Edit(xl, "unet/config.json", json => json["addition_embed_type"] = null);
        TinySd.WriteUNet(xl);
        Assert.Contains("StableDiffusionXLPipeline needs \"text_time\"", Assert.Throws<ModelFileException>(() => TinySd.Draw(xl)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void TextEncoderOfXl_OtherArchitectureInItsConfig_IsTheClassOfTheIndex()
    {
        TinySdxl.CopyTo(Model);
        TinySd.Edit(Model, "text_encoder_2/config.json", json => json["architectures"] = new JsonArray("CLIPTextModel"));
        Assert.Equal(TinySd.Draw(TinySdxl.Folder, _ => TinySdxl.Request with { Decode = false }),
            TinySd.Draw(Model, _ => TinySdxl.Request with { Decode = false }));
    }

    [Fact]
    public void Variant_MissingInSomeParts_IsLoggedAndInAllRefused()
    {
        TinySd.WriteTo(Model);
        string message = Assert.Throws<ModelFileException>(() =>
            TinySd.Draw(Model, options: new PipelineOptions { Variant = "fp16" })).Message;
        Assert.Contains("has no weights of the variant 'fp16' in any of text_encoder, unet, vae", message, StringComparison.Ordinal);
        Change("mixed-variant");
        using var log = new CollectingLoggerFactory();
        TinySd.Draw(Model, options: new PipelineOptions { Variant = "fp16", LoggerFactory = log });
        string expected = "the variant fp16 is there for unet; text_encoder, vae have none";
        Assert.Contains(expected, Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void FromPretrained_SurplusTensors_AreLoggedOncePerLoadAndPositionIdsNever()
    {
        TinySd.WriteTo(Model);
        Change("extra-tensors");
        Change("position-ids");
        using var log = new CollectingLoggerFactory();
        TinySd.Draw(Model, options: new PipelineOptions { LoggerFactory = log });
        string expected = "2 tensor(s) have no place in ClipTextModel and are not used: 'logit_scale', 'text_projection.weight'";
        Assert.Contains(expected, Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Scheduler_UnknownClass_SaysHowToCreateAnother()
    {
        TinySd.WriteTo(Model);
        float[] expected = TinySd.Draw(Model, p => TinySd.Request with { Scheduler = p.CreateScheduler("dpmpp_2m") });
        const string unknown = "CosineDPMSolverMultistepScheduler";
        TinySd.Edit(Model, "model_index.json", json => json["scheduler"] = new JsonArray("diffusers", unknown));
        TinySd.Edit(Model, "scheduler/scheduler_config.json", json => json["_class_name"] = unknown);
        Assert.Equal(expected, TinySd.Draw(Model, p => TinySd.Request with { Scheduler = p.CreateScheduler("dpmpp_2m") }));
        string message = Assert.Throws<ModelFileException>(() => TinySd.Draw(Model)).Message;
        Assert.All([unknown, "DPMSolverMultistepScheduler", "CreateScheduler(name)"],
            text => Assert.Contains(text, message, StringComparison.Ordinal));
    }

    [Fact]
    public void EncodeAll_WordWithSeveralVectors_GivesThemAll()
    {
        TinySd.WriteTo(Model);
        int ids = JsonNode.Parse(File.ReadAllText(Path.Combine(Model, "text_encoder", "config.json")))!["vocab_size"]!.GetValue<int>();
        File.WriteAllText(Path.Combine(Model, "tokenizer", "added_tokens.json"),
            JsonSerializer.Serialize(
                new Dictionary<string, int> { ["<new-word>"] = ids, ["<new-word>_1"] = ids + 1, ["<new-word>_2"] = ids + 2 }));
        TinySd.Edit(Model, "text_encoder/config.json", json => json["vocab_size"] = ids + 3);
        TinySd.Rewrite(Model, "text_encoder", tensors =>
        {
            const string Key = "text_model.embeddings.token_embedding.weight";
            var (shape, values) = tensors[Key];
            tensors[Key] = (Shape.Create([ids + 3, shape[1]]), [.. values, .. values.AsSpan(0, (ids + 3 - shape[0]) * shape[1])]);
        });
        TinySd.Edit(Model, "tokenizer/tokenizer_config.json", json => json.Remove("added_tokens_decoder"));
        var tokenizer = ClipTokenizer.Load(Path.Combine(Model, "tokenizer"));
        Assert.Equal([ids, ids + 1, ids + 2], tokenizer.EncodeAll("<new-word>"));
        Assert.Equal([ids + 1], tokenizer.EncodeAll("<new-word>_1"));
        Assert.Equal([.. tokenizer.EncodeAll("a"), ids, ids + 1, ids + 2, .. tokenizer.EncodeAll("fox")],
            tokenizer.EncodeAll("a <new-word> fox"));
        Assert.NotEqual(TinySd.Draw(Model, _ => new("a <new-word>_2") { Width = 32, Height = 32, Steps = 2, Seed = 7, Decode = false }),
            TinySd.Draw(Model, _ => new("a <new-word>") { Width = 32, Height = 32, Steps = 2, Seed = 7, Decode = false }));
    }

    [Theory]
    [InlineData("acme/tiny-sd", "name of a model on the Hugging Face Hub", "snapshot_download")]
    [InlineData("no/such/folder", "the folder does not exist")]
    public void Open_NoFolder_SaysWhatItMayBe(string path, params string[] named)
    {
        string message = Assert.Throws<ModelFileException>(() => ModelFolder.Open(path)).Message;
        Assert.All(named, text => Assert.Contains(text, message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("model.safetensors"), InlineData("model.CKPT"), InlineData("model.gguf")]
    public void Open_SingleFile_NamesWhatOpensIt(string name) => Assert.Contains("ModelSource.Open",
        Assert.Throws<ModelFileException>(() => ModelFolder.Open(folder.Write(name, ""))).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_HubCacheEntry_NamesTheModelAndIncompleteOnesAreRefused()
    {
        TinySd.WriteTo(Model);
        string entry = Change("hub-cache");
        Assert.Equal("acme/tiny sd été", ModelFolder.Open(entry).Name);
        File.WriteAllText(Path.Combine(entry, "refs", "main"), "def456");
        Assert.Contains("names the snapshot 'def456', which does not exist",
            Assert.Throws<ModelFileException>(() => ModelFolder.Open(entry)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(entry, "refs", "main"), "../abc123");
        Assert.Contains("must be the name of a snapshot", Assert.Throws<ModelFileException>(() => ModelFolder.Open(entry)).Message,
            StringComparison.Ordinal);
        File.Delete(Path.Combine(entry, "refs", "main"));
        Directory.CreateDirectory(Path.Combine(entry, "snapshots", "def456"));
        Assert.Contains("has 2 snapshots and no refs/main", Assert.Throws<ModelFileException>(() => ModelFolder.Open(entry)).Message,
            StringComparison.Ordinal);
    }

    private string Change(string change)
    {
        switch (change)
        {
            case "mixed-variant":
                string weights = Path.Combine(Model, "unet", "diffusion_pytorch_model.safetensors");
                File.Move(weights, Path.ChangeExtension(weights, ".fp16.safetensors"));
                break;
            case "extra-tensors":
                TinySd.Rewrite(Model, "text_encoder",
                    t => (t["logit_scale"], t["text_projection.weight"]) =
                        ((Shape.Create([]), [1f]), (Shape.Create([32, 32]), new float[1024])));
                break;
            case "position-ids":
                TinySd.Rewrite(Model, "text_encoder",
                    t => t["text_model.embeddings.position_ids"] = (Shape.Create([1, 77]), new float[77]));
                break;
            case "architectures-missing":
                TinySd.Edit(Model, "text_encoder/config.json", json => json.Remove("architectures"));
                break;
            case "architectures-other":
                TinySd.Edit(Model, "text_encoder/config.json", json => json["architectures"] = new JsonArray("CLIPModel"));
                break;
            case "whole-clip-config":
                string path = Path.Combine(Model, "text_encoder", "config.json");
                File.WriteAllText(path, $$"""{"model_type": "clip", "projection_dim": 32, "vision_config": {}, "text_config": {{File.ReadAllText(path)}}}""");
                break;
            case "bare-text-names":
                TinySd.Rewrite(Model, "text_encoder", t =>
                {
                    foreach (string name in t.Keys.ToArray())
                    {
                        t[name["text_model.".Length..]] = t[name];
                        t.Remove(name);
                    }
                });
                break;
            case "old-vae-names":
                TinySd.Rewrite(Model, "vae", t =>
                {
                    foreach (string name in t.Keys.Where(n => n.Contains(".attentions.", StringComparison.Ordinal)).ToArray())
                    {
                        string old = name.Replace(".to_q.", ".query.", StringComparison.Ordinal)
                            .Replace(".to_k.", ".key.", StringComparison.Ordinal)
                            .Replace(".to_v.", ".value.", StringComparison.Ordinal)
                                .Replace(".to_out.0.", ".proj_attn.", StringComparison.Ordinal);
                        var tensor = t[name];
                        t.Remove(name);
                        t[old] = tensor;
                    }
                });
                break;
            case "crlf":
                foreach (string name in (string[])["vocab.json", "merges.txt"])
                    File.WriteAllText(Path.Combine(Model, "tokenizer", name),
                        File.ReadAllText(Path.Combine(Model, "tokenizer", name)).Replace("\n", "\r\n", StringComparison.Ordinal));
                break;
            case "no-safety-folder":
                TinySd.Edit(Model, "model_index.json",
                    json => json["safety_checker"] = new JsonArray("stable_diffusion", "StableDiffusionSafetyChecker"));
                break;
            case "old-block-names":
                TinySd.Edit(Model, "unet/config.json",
                    json => json["down_block_types"] = new JsonArray("UNetResCrossAttnDownBlock2D", "UNetResDownBlock2D"));
                TinySd.Edit(Model, "vae/config.json",
                    json => json["up_block_types"] = new JsonArray([.. Enumerable.Repeat("UNetResUpDecoderBlock2D", 4)]));
                break;
            case "tokenizer-json-only":
                TokenizerJsonTests.Replace(Path.Combine(Model, "tokenizer"));
                break;
            case "tokenizer-json-clips-steps":
                TokenizerJsonTests.Replace(Path.Combine(Model, "tokenizer"), clipsSteps: true);
                break;
            case "flax-names":
                foreach (string file in (string[])["model_index.json", "unet/config.json", "vae/config.json",
                    "scheduler/scheduler_config.json"])
                    TinySd.Edit(Model, file, json => json["_class_name"] = $"Flax{json["_class_name"]}");
                TinySd.Edit(Model, "model_index.json", json =>
                {
                    foreach (string part in (string[])["scheduler", "text_encoder", "unet", "vae"])
                        json[part]![1] = $"Flax{json[part]![1]}";
                });
                break;
            case "hub-cache" or "hub-cache-without-refs" or "snapshot-folder":
                string entry = Path.Combine(folder.Path, "models--acme--tiny sd été"),
                    snapshot = Path.Combine(entry, "snapshots", "abc123");
                Directory.CreateDirectory(Path.Combine(entry, "refs"));
                Directory.CreateDirectory(Path.Combine(entry, "blobs"));
                if (change != "hub-cache-without-refs") File.WriteAllText(Path.Combine(entry, "refs", "main"), "abc123\n");
                int number = 0;
                foreach (string file in Directory.GetFiles(Model, "*", SearchOption.AllDirectories))
                {
                    string blob = Path.Combine(entry, "blobs", $"{number++}"),
                        link = Path.Combine(snapshot, Path.GetRelativePath(Model, file));
                    Directory.CreateDirectory(Path.GetDirectoryName(link)!);
                    File.Copy(file, blob);
                    File.CreateSymbolicLink(link, Path.GetRelativePath(Path.GetDirectoryName(link)!, blob));
                }

                return change == "snapshot-folder" ? snapshot : entry;
            default:
                throw new InvalidOperationException(change);
        }

        return Model;
    }
}
