using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Checkpoints;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>A model with an autoencoder from elsewhere, in each form that they are published in.</summary>
public sealed class OtherVaeTests : IDisposable
{
    private const string Original = "first_stage_model.", Prefixed = "vae.", Bare = "", Diffusers = "diffusers", Component = "component",
        Model = "model";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(Original), InlineData(Prefixed), InlineData(Bare), InlineData(Diffusers), InlineData(Component), InlineData(Model)]
    public void WithVae_EachForm_GivesItsTensorsAndTheModelsScale(string form)
    {
        string own = Path.Combine(Golden.Folder("tiny-sdxl"), "vae");
        var model = ModelSource.Open(Golden.Folder("tiny-sdxl"), new ModelSourceOptions { Vae = Write(form, negated: true) });
        var expected = AutoencoderConfig.From(ModelConfig.Load(Path.Combine(own, "config.json")));
        Implied.Equal(SingleFileComponent.Autoencoder(1, 1), ModelConfig.Load(Path.Combine(own, "config.json")), model.ConfigOf("vae"));
        Assert.Equal(0.13025, expected.ScalingFactor);
        using var source = Checkpoint.OpenFolder(own);
        using var weights = model.WeightsOf("vae");
        new AutoencoderKL(AutoencoderConfig.From(model.ConfigOf("vae"))).Load(weights);
        foreach (string name in source.Names)
        {
            float[] read = Floats(weights.Find(name)!);
            Assert.True(source.Find(name)!.ReadFloats().Select(value => -value).SequenceEqual(read), name); // not the model's own
        }

        using var unet = model.WeightsOf("unet");
        Assert.NotNull(unet.Find("conv_in.weight"));
    }

    [Fact]
    public void WithVae_FolderForFloat16_IsNotWidened()
    {
        string own = Path.Combine(Golden.Folder("tiny-sdxl"), "vae");
        string config = File.ReadAllText(Path.Combine(own, "config.json"))
            .Replace("\"force_upcast\": true", "\"force_upcast\": false", StringComparison.Ordinal);
        string fixedVae = Directory.CreateDirectory(Path.Combine(folder.Path, "fixed")).FullName;
        File.WriteAllText(Path.Combine(fixedVae, "config.json"), config);
        File.Copy(Path.Combine(own, "diffusion_pytorch_model.safetensors"), Path.Combine(fixedVae, "diffusion_pytorch_model.safetensors"));
        var model = ModelSource.Open(Golden.Folder("tiny-sdxl")).WithVae(fixedVae);
        Assert.False(AutoencoderConfig.From(model.ConfigOf("vae")).ForceUpcast);
        Assert.True(AutoencoderConfig.From(ModelSource.Open(Golden.Folder("tiny-sdxl")).WithVae(Write(Bare, false)).ConfigOf("vae"))
            .ForceUpcast);
    }

    [Fact]
    public void WithVae_NoAutoencoder_ThrowsModelFileException()
    {
        var model = ModelSource.Open(Golden.Folder("tiny-sdxl"));
        string text = Path.Combine(Golden.Folder("tiny-sdxl"), "text_encoder");
        Says(Path.Combine(text, "model.safetensors"), "holds no autoencoder: it is a text encoder alone");
        Says(folder.Path, "is no autoencoder");
        Says(Path.Combine(folder.Path, "none.safetensors"), "the file does not exist");
        File.WriteAllBytes(Path.Combine(folder.Path, "vae.pt"), [.. "PK\x03\x04"u8, .. new byte[64]]);
        Says(Path.Combine(folder.Path, "vae.pt"), "pickles are not read");

        void Says(string path, string part) => Assert.Contains(part, Assert.Throws<ModelFileException>(() => model.WithVae(path)).Message,
            StringComparison.Ordinal);
    }

    private string Write(string form, bool negated)
    {
        string own = Path.Combine(Golden.Folder("tiny-sdxl"), "vae");
        using var weights = Checkpoint.OpenFolder(own);
        var tensors = weights.Names.ToDictionary(name => name, name => (weights.Find(name)!.Shape,
            Values: weights.Find(name)!.ReadFloats().Select(value => negated ? -value : value).ToArray()));
        if (form is Diffusers or Component or Model)
        {
            string target = Directory.CreateDirectory(Path.Combine(folder.Path, "m", "vae")).FullName;
            string file = OriginalFile.Write(Path.Combine(target, "diffusion_pytorch_model.safetensors"), tensors, DType.Float32);
            if (form == Diffusers) return file;
            File.Copy(Path.Combine(own, "config.json"), Path.Combine(target, "config.json"));
            if (form == Component) return target;
            File.Copy(Path.Combine(own, "..", "model_index.json"), Path.Combine(target, "..", "model_index.json"));
            return Path.GetDirectoryName(target)!;
        }

        var part = SingleFileComponent.Autoencoder(1, 1);
        var stored = OriginalFile.Of(part, OriginalFile.Table(own, tensors.Select(t => (t.Key, t.Value.Shape))));
        return OriginalFile.Write(Path.Combine(folder.Path, "vae.safetensors"),
            stored.ToDictionary(s => form + s.Key, s => (s.Value.Shape, tensors[s.Value.Parts[0].Name].Values)), DType.Float32);
    }

    private static float[] Floats(Tensor tensor) => tensor.Span<float>().ToArray();
}
