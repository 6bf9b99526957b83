using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

public sealed class ModelFolderTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ilgd-model-");

    public void Dispose() => folder.Delete(recursive: true);

    private string Write(string name, string text)
    {
        string path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public void Open_TinySdxl_ListsItsComponents()
    {
        var model = ModelFolder.Open(Golden.Folder("tiny-sdxl"));
        Assert.Equal("StableDiffusionXLPipeline", model.ClassName);
        Assert.Equal(["scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae"],
            model.Components.Keys.Order());
        Assert.Equal(new ModelComponent("text_encoder_2", "transformers", "CLIPTextModelWithProjection"),
            model.Component("text_encoder_2"));
        Assert.False(model.Has("image_encoder")); // [null, null]
        Assert.True(model.Index.Bool("force_zeros_for_empty_prompt"));
    }

    [Theory]
    [InlineData("tiny-sdxl")]
    [InlineData("tiny-sd15")]
    [InlineData("tiny-sd21-v")]
    public void WeightsOf_EveryComponent_Opens(string name)
    {
        var model = ModelFolder.Open(Golden.Folder(name));
        foreach (var component in model.Components.Values)
        {
            Assert.NotEmpty(model.ConfigOf(component.Name).Keys);
            if (component.ConfigFile != "config.json") continue;
            using var weights = model.WeightsOf(component.Name);
            Assert.NotEmpty(weights.Names);
        }
    }

    [Theory]
    [InlineData("text_encoder")]
    [InlineData("unet")]
    [InlineData("vae")]
    public void WeightsOf_Fp16Variant_HoldsTheSameNumbers(string component)
    {
        var model = ModelFolder.Open(Golden.Folder("tiny-sd15"));
        using var plain = model.WeightsOf(component);
        using var variant = model.WeightsOf(component, "fp16");
        Assert.Equal(plain.Names.Order(), variant.Names.Order());
        foreach (string name in plain.Names)
        {
            var tensor = variant.Find(name)!;
            Assert.Equal(plain.Find(name)!.Shape, tensor.Shape);
            Assert.Equal(DType.Float16, tensor.DType);
            Assert.Equal(plain.Find(name)!.ReadFloats(), tensor.ReadFloats());
        }
    }

    [Fact]
    public void WeightsOf_Shards_HoldWhatTheIndexSays()
    {
        var model = ModelFolder.Open(Golden.Folder("tiny-sd21-v"));
        using var weights = model.WeightsOf("unet");
        Assert.EndsWith(".index.json", weights.Source, StringComparison.Ordinal);
        var index = ModelConfig.Load(weights.Source);
        Assert.Equal(index.Find("metadata")!.Value.GetProperty("total_size").GetInt64(),
            weights.Names.Sum(name => weights.Find(name)!.Bytes));
        Assert.Equal(4, weights.Names.Select(name => weights.Find(name)!.File).Distinct().Count());
        foreach (string name in weights.Names) // according to the map, not just the union of the shards
            Assert.Equal(index.Find("weight_map")!.Value.GetProperty(name).GetString(), Path.GetFileName(weights.Find(name)!.File.Path));
    }

    [Theory]
    [InlineData("stable-diffusion-xl-base-1.0", "StableDiffusionXLPipeline", 7)]
    [InlineData("stable-diffusion-v1-5", "StableDiffusionPipeline", 7)]
    [InlineData("stable-diffusion-2-1", "StableDiffusionPipeline", 6)]
    public void Open_PublishedIndex_Reads(string name, string className, int components)
    {
        var model = ModelFolder.Open(Golden.Folder($"real-configs/{name}"));
        Assert.Equal(className, model.ClassName);
        Assert.Equal(components, model.Components.Count);
        Assert.NotEmpty(model.ConfigOf("unet").Ints("block_out_channels"));
        Assert.Contains("has no weights", Assert.Throws<ModelFileException>(() => model.WeightsOf("unet")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "must be an object")]
    [InlineData("{}", "'_class_name' is missing")]
    [InlineData("""{"_class_name":["a","b"]}""", "'_class_name' is [\"a\",\"b\"]; it must be a string")]
    [InlineData("""{"_class_name":"P","unet":["diffusers",null]}""",
        "'unet' is [\"diffusers\",null]; it must be a pair [library, class] or [null, null]")]
    [InlineData("""{"_class_name":"P","unet":["diffusers",3]}""", "it must be a pair [library, class]")]
    [InlineData("""{"_class_name":"P","../unet":["diffusers","U"]}""", "the component '../unet' cannot be the name of a folder")]
    [InlineData("""{"_class_name":"P","..":["diffusers","U"]}""", "the component '..' cannot be the name of a folder")]
    [InlineData("""{"_class_name":"P","a\u0000":["diffusers","U"]}""", "cannot be the name of a folder")]
    public void Open_InvalidIndex_IsRefusedByTheFilesName(string json, string message)
    {
        string path = Write("model_index.json", json);
        var error = Assert.Throws<ModelFileException>(() => ModelFolder.Open(folder.FullName));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NoModelFolder_SaysWhatItIs()
    {
        Assert.Contains("the folder does not exist", Refused(Path.Combine(folder.FullName, "no")), StringComparison.Ordinal);
        Assert.Contains("has no model_index.json; expected a model in diffusers' folder layout.", Refused(folder.FullName),
            StringComparison.Ordinal);
        string file = Write("config.json", "{}");
        Assert.Contains("looks like one component", Refused(folder.FullName), StringComparison.Ordinal);
        Assert.Contains("is a file; expected a folder", Refused(file), StringComparison.Ordinal);
        static string Refused(string path) => Assert.Throws<ModelFileException>(() => ModelFolder.Open(path)).Message;
    }

    [Fact]
    public void Component_MissingPart_IsNamed()
    {
        Write("model_index.json",
            """{"_class_name":"P","image_encoder":[null,null],"unet":["diffusers","UNet2DConditionModel"],"sizes":[1,2],"add_watermarker":null}""");
        var model = ModelFolder.Open(folder.FullName);
        Assert.Equal(["unet"], model.Components.Keys);
        Assert.Contains("has no component 'image_encoder', which 'P' needs; it lists 'unet'.",
            Assert.Throws<ModelFileException>(() => model.Component("image_encoder")).Message, StringComparison.Ordinal);
        Assert.Contains("lists the component 'unet' (is the download complete?)",
            Assert.Throws<ModelFileException>(() => model.WeightsOf("unet")).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(folder.FullName, "unet"));
        Assert.Contains($"unet{Path.DirectorySeparatorChar}config.json: the file does not exist",
            Assert.Throws<ModelFileException>(() => model.ConfigOf("unet")).Message, StringComparison.Ordinal);
        Write("unet/diffusion_pytorch_model.bin", "");
        Assert.Contains("pickle files are not read", Assert.Throws<ModelFileException>(() => model.WeightsOf("unet")).Message,
            StringComparison.Ordinal);
    }
}
