using System.Text;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Incomplete or damaged model folders: the error names the part, and nothing stays allocated or mapped.</summary>
public sealed class DamagedModelTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("unet"), InlineData("vae"), InlineData("text_encoder"), InlineData("text_encoder_2"), InlineData("tokenizer"),
        InlineData("tokenizer_2"), InlineData("scheduler")]
    public void FromPretrained_MissingComponent_NamesIt(string component)
    {
        TinySdxl.CopyTo(folder.Path);
        Directory.Delete(PathOf(component), recursive: true);
        AssertRefused($"{component}: the folder does not exist");
    }

    [Theory, InlineData("unet"), InlineData("vae"), InlineData("text_encoder"), InlineData("text_encoder_2"), InlineData("tokenizer"),
        InlineData("tokenizer_2"), InlineData("scheduler")]
    public void FromPretrained_UnlistedComponent_NamesIt(string component)
    {
        TinySdxl.CopyTo(folder.Path);
        Edit("model_index.json", text => text.Replace($"\"{component}\":", $"\"no_{component}\":", StringComparison.Ordinal));
        AssertRefused($"has no component '{component}'");
    }

    [Theory, InlineData("unet"), InlineData("vae"), InlineData("text_encoder"), InlineData("text_encoder_2")]
    public void FromPretrained_MissingWeights_NamesThem(string component)
    {
        TinySdxl.CopyTo(folder.Path);
        File.Delete(Weights(component));
        AssertRefused(component, "safetensors");
    }

    [Theory, InlineData("unet"), InlineData("text_encoder")]
    public void FromPretrained_PickledWeights_AreRefusedByName(string component)
    {
        TinySdxl.CopyTo(folder.Path);
        File.Delete(Weights(component));
        File.WriteAllText(Path.ChangeExtension(Weights(component), ".bin"), "PK");
        AssertRefused(component, ".bin", "safetensors");
    }

    [Theory, InlineData("unet"), InlineData("vae"), InlineData("text_encoder_2")]
    public void FromPretrained_TruncatedWeights_NamesTheFile(string component)
    {
        TinySdxl.CopyTo(folder.Path);
        byte[] bytes = File.ReadAllBytes(Weights(component));
        File.Delete(Weights(component));
        File.WriteAllBytes(Weights(component), bytes[..(bytes.Length / 2)]);
        AssertRefused(Weights(component));
    }

    [Fact]
    public void FromPretrained_WeightsOfAnotherComponent_NamesTheTensor()
    {
        TinySdxl.CopyTo(folder.Path);
        File.Delete(Weights("text_encoder_2"));
        File.CreateSymbolicLink(Weights("text_encoder_2"), Path.Combine(TinySdxl.Folder, "text_encoder", "model.safetensors"));
        AssertRefused("text_encoder_2", "text_model.");
    }

    [Fact]
    public void FromPretrained_UnknownClass_NamesItAndTheKnownOnes()
    {
        TinySdxl.CopyTo(folder.Path);
        Edit("model_index.json", text => text.Replace("StableDiffusionXLPipeline", "KandinskyPipeline", StringComparison.Ordinal));
        AssertRefused("KandinskyPipeline", "StableDiffusionXLPipeline");
    }

    [Fact]
    public void Scheduler_UnknownClass_IsRefusedWhenNeededAndAnotherDraws()
    {
        TinySdxl.CopyTo(folder.Path);
        Edit("model_index.json", text => text.Replace("EulerDiscreteScheduler", "MagicScheduler", StringComparison.Ordinal));
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(folder.Path, new PipelineOptions { Device = device });
        var error = Assert.Throws<ModelFileException>(() => pipeline.Scheduler);
        Assert.All(["MagicScheduler", "EulerDiscreteScheduler", "dpmpp_2m", "CreateScheduler"],
            name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
        Assert.Equal("_class_name", error.Key);
        Assert.Throws<ModelFileException>(() => pipeline.Resolve(TinySdxl.Request));
        Assert.Equal(2, pipeline.Resolve(TinySdxl.Request with { Scheduler = pipeline.CreateScheduler("dpmpp_2m") }).Schedule.End);
    }

    [Fact]
    public void FromPretrained_OtherSchedulerClassInItsFile_TakesThatOfTheIndexWithAWarning()
    {
        TinySdxl.CopyTo(folder.Path);
        Edit("scheduler/scheduler_config.json", text => text.Replace("EulerDiscreteScheduler", "DDIMScheduler", StringComparison.Ordinal));
        using var log = new CollectingLoggerFactory();
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(folder.Path, new PipelineOptions { Device = device, LoggerFactory = log });
        Assert.Equal("EulerDiscreteScheduler", pipeline.Scheduler.Name);
        Assert.Contains("'_class_name' is \"DDIMScheduler\"", Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unet/config.json", "\"cross_attention_dim\": 80", "\"cross_attention_dim\": 81", "unet")]
    [InlineData("unet/config.json", "\"in_channels\": 4", "\"in_channels\": 9", "unet")]
    [InlineData("model_index.json", "\"UNet2DConditionModel\"", "\"FluxTransformer2DModel\"", "of the class UNet2DConditionModel")]
    [InlineData("model_index.json", "\"AutoencoderKL\"", "\"AutoencoderTiny\"", "of the class AutoencoderKL")]
    [InlineData("model_index.json", "\"CLIPTextModel\"", "\"T5EncoderModel\"", "of the class CLIPTextModel")]
    [InlineData("model_index.json", "\"CLIPTextModelWithProjection\"", "\"CLIPTextModel\"", "of the class CLIPTextModelWithProjection")]
    [InlineData("text_encoder/config.json", "\"model_type\": \"clip_text_model\"", "\"model_type\": \"roberta\"",
        "'model_type' is \"roberta\"")]
    [InlineData("text_encoder/config.json", "\"hidden_act\": \"quick_gelu\"", "\"hidden_act\": \"mish\"", "'hidden_act' is \"mish\"")]
    [InlineData("text_encoder/config.json", "\"model_type\"", "\"quantization_config\": {}, \"model_type\"", "'quantization_config'")]
    [InlineData("unet/config.json", "\"sample_size\": 16", "\"sample_size\": 0", "sample_size")]
    [InlineData("unet/config.json", "\"sample_size\": 16", "\"sample_size\": 2000000000", "sample_size")]
    [InlineData("text_encoder/config.json", "\"vocab_size\": 2050", "\"vocab_size\": 12", "text_encoder")]
    [InlineData("tokenizer/tokenizer_config.json", "\"model_max_length\": 77", "\"model_max_length\": 78",
        "makes prompts of 78 tokens, text_encoder reads 77")]
    [InlineData("tokenizer_2/tokenizer_config.json", "\"model_max_length\": 77", "\"model_max_length\": 40",
        "tokenizer_2 of 40; they must be equal")]
    public void FromPretrained_ConfigThatDoesNotFit_IsRefused(string file, string from, string to, string named)
    {
        TinySdxl.CopyTo(folder.Path);
        Edit(file, text => text.Contains(from, StringComparison.Ordinal) ? text.Replace(from, to, StringComparison.Ordinal)
            : throw new InvalidOperationException($"{file} has no {from}."));
        AssertRefused(named);
    }

    [Fact]
    public void FromPretrained_NoModel_SaysWhatThePathIs()
    {
        AssertRefused("model_index.json");
        Assert.Contains("does not exist",
            Assert.Throws<ModelFileException>(() => DiffusionPipeline.FromPretrained(Path.Combine(folder.Path, "nothing"))).Message,
                StringComparison.Ordinal);
        Assert.Contains("pickles are not read",
            Assert.Throws<ModelFileException>(() => DiffusionPipeline.FromPretrained(folder.Write("a.ckpt", "PK\u0003\u0004"))).Message,
                StringComparison.Ordinal);
    }

    private string PathOf(string component) => Path.Combine(folder.Path, component);

    private string Weights(string component) =>
        Path.Combine(PathOf(component), TinySdxl.WeightFiles.Single(w => w.Component == component).File + ".safetensors");

    private void Edit(string file, Func<string, string> change)
    {
        string path = Path.Combine(folder.Path, file);
        File.WriteAllText(path, change(File.ReadAllText(path, Encoding.UTF8)));
    }

    private void AssertRefused(params string[] named)
    {
        using var device = new CpuDevice(threads: 1);
        var error = Assert.Throws<ModelFileException>(() =>
            DiffusionPipeline.FromPretrained(folder.Path, new PipelineOptions { Device = device }));
        Assert.All(named, name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
        Assert.Equal(0, device.AllocatedBytes);
    }
}
