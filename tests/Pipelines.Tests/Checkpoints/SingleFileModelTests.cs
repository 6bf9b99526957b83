using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>A model in one file with original names gives what its folder in diffusers' layout gives.</summary>
public sealed class SingleFileModelTests : IDisposable
{
    private const string Recorded = "tiny-sdxl-single-file/tiny-sdxl.safetensors", Xl = "Stable Diffusion XL base";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Open_RecordedFile_EqualsTheFolderToTheBit() => Compare(Golden.Folder(Recorded), Golden.Folder("tiny-sdxl"), Xl);

    [Fact]
    public void Write_TinySdxl_EqualsTheRecordedFile()
    {
        using var recorded = SafetensorsFile.Open(Golden.Folder(Recorded));
        using var written = SafetensorsFile.Open(Write("tiny-sdxl", Xl));
        Assert.Equal(recorded.Entries.Keys.Order(StringComparer.Ordinal), written.Entries.Keys.Order(StringComparer.Ordinal));
        foreach (var entry in recorded.Entries.Values)
        {
            Assert.Equal(entry.Shape, written.Entry(entry.Name).Shape);
            Assert.True(recorded.Bytes(entry).SequenceEqual(written.Bytes(written.Entry(entry.Name))), entry.Name);
        }
    }

    [Theory]
    [InlineData("tiny-sdxl", Xl, DType.Float16)]
    [InlineData("tiny-sdxl", Xl, DType.Float32)]
    [InlineData("tiny-sdxl-refiner", "Stable Diffusion XL refiner", DType.Float16)]
    [InlineData("tiny-sd15", "Stable Diffusion 1.x", DType.Float16)]
    public void Open_WrittenFile_EqualsTheFolder(string model, string kind, DType dtype) =>
        Compare(Write(model, kind, dtype), Golden.Folder(model), kind);

    [Fact]
    public void OpenClip_OfTwo_HasNoLastLayer()
    {
        // The narrow model is not told by its width of prompts, so the layout is taken as it is.
        string model = Golden.Folder("tiny-sd21-v");
        var part = OriginalFile.Layout("Stable Diffusion 2.x").Components[2];
        var table = OriginalFile.Published("stable-diffusion-2-1", "text_encoder");
        var stored = OriginalFile.Of(part, table).ToDictionary(t => t.Key, t => t.Value.Shape);
        foreach (string name in stored.Keys.Where(n => n.StartsWith("transformer.resblocks.22.", StringComparison.Ordinal)).ToArray())
            stored[name.Replace(".22.", ".23.", StringComparison.Ordinal)] = stored[name];
        stored["text_projection"] = Shape.Create([1024, 1024]);
        stored["logit_scale"] = Shape.Create([]);
        var original = OriginalFile.Table(model, stored.Select(t => (t.Key, t.Value)));
        var read = original.Renamed(part.Names(original));
        Assert.Equal(table.Tensors.Keys.Order(), read.Tensors.Keys.Order());
        Assert.All(original.Tensors.Keys, name => Assert.True(part.Names(original).ToDiffusers(name).Count > 0 != part.Names(original)
            .IsUnused(name), name));
    }

    [Fact]
    public void WeightsOf_TextEncoder2_CopiesTheProjectionAlone()
    {
        var model = Open(Write("tiny-sdxl", Xl));
        using var weights = model.WeightsOf("text_encoder_2");
        string[] copies = [.. weights.Names.Where(name => weights.Find(name)!.Buffer is HostBuffer { Owner: SafetensorsFile file } buffer
            && !IsInside(file, buffer))];
        Assert.Equal(["text_projection.weight"], copies);
    }

    [Fact]
    public void Load_TensorMissing_NamesTheOneInTheFile()
    {
        const string Lost = "conditioner.embedders.1.model.transformer.resblocks.1.attn.in_proj_weight",
            Extra = "conditioner.embedders.1.model.transformer.resblocks.9.ln_1.weight";
        string path = Write("tiny-sdxl", Xl, change: all =>
        {
            all.Remove(Lost);
            all["conditioner.embedders.1.model.transformer.resblocks.2.attn.rotary.weight"] = (Shape.Create([1]), [0]);
            all["model_ema.decay"] = (Shape.Create([1]), [0]);
        });
        var model = Open(path);
        using var weights = model.WeightsOf("text_encoder_2");
        var layers = new ClipTextModel(ClipTextConfig.From(model.ConfigOf("text_encoder_2")));
        string message = Assert.Throws<ModelFileException>(() => layers.Load(weights)).Message;
        Assert.Contains("3 tensor(s)", message, StringComparison.Ordinal);
        Assert.Contains("text_model.encoder.layers.1.self_attn.k_proj.weight", message, StringComparison.Ordinal);
        Assert.Contains($"in the file '{Lost}'", message, StringComparison.Ordinal);
        Assert.Contains("conditioner.embedders.1.model.transformer.resblocks.2.attn.rotary.weight", weights.Names);
        Assert.DoesNotContain(Extra, weights.Names);
    }

    [Fact]
    public void ConfigOf_HeadsUntold_AsksForTheFolder()
    {
        var model = (SingleFileModel)ModelSource.Open(Write("tiny-sdxl", Xl));
        var e = Assert.Throws<ModelFileException>(() => model.ConfigOf("unet"));
        Assert.Equal("attention_head_dim", e.Key);
        Assert.Contains("Name a folder with the model's configurations", e.Message, StringComparison.Ordinal);
        Assert.Equal("StableDiffusionXLPipeline", model.ClassName);
        Assert.Equal(["scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae"],
            model.Components.Keys.Order());
    }

    [Fact]
    public void WeightsOf_NoAutoencoderInTheFile_ThrowsModelFileException()
    {
        string path = Write("tiny-sdxl", Xl, change: all =>
        {
            foreach (string name in all.Keys.Where(n => n.StartsWith("first_stage_model.", StringComparison.Ordinal)).ToArray())
                all.Remove(name);
        });
        Assert.Contains("does not hold the whole model", Assert.Throws<ModelFileException>(() => Open(path).WeightsOf("vae")).Message,
            StringComparison.Ordinal);
        var other = Open(path).WithVae(Path.Combine(Golden.Folder("tiny-sdxl"), "vae", "diffusion_pytorch_model.safetensors"));
        Assert.Equal(0.13025, AutoencoderConfig.From(other.ConfigOf("vae")).ScalingFactor);
    }

    /// <summary>Every tensor and configuration of a file equals the folder's, and the layers take all of them.</summary>
    private static void Compare(string path, string folder, string kind)
    {
        var (file, model) = (Open(path, folder), ModelFolder.Open(folder));
        Assert.Equal(kind, file.Layout.Kind);
        Assert.Equal(model.ClassName, file.ClassName);
        var log = new CollectingLoggerFactory();
        foreach (var part in file.Layout.Components)
        {
            Assert.Equal(part.Class, model.Component(part.Name).Class);
            using var actual = file.WeightsOf(part.Name);
            using var expected = model.WeightsOf(part.Name);
            Assert.Equal(expected.Names.Order(StringComparer.Ordinal), actual.Names.Order(StringComparer.Ordinal));
            foreach (string name in expected.Names)
            {
                var tensor = actual.Find(name)!;
                Assert.Equal(expected.Find(name)!.Shape, tensor.Shape);
                Assert.True(expected.Find(name)!.ReadFloats().AsSpan().SequenceEqual(Floats(tensor)), name);
            }

            Implied.Equal(part, model.ConfigOf(part.Name), file.ConfigOf(part.Name));
            Implied.Layers(part, file.ConfigOf(part.Name)).Load(actual, log.CreateLogger("load"));
        }

        Assert.Empty(log.Warnings);
    }

    private static float[] Floats(Tensor tensor) => tensor.DType switch
    {
        DType.Float16 => [.. tensor.Span<Half>().ToArray().Select(h => (float)h)],
        DType.Float32 => tensor.Span<float>().ToArray(),
        _ => throw new ArgumentOutOfRangeException(nameof(tensor), tensor, "no float type of these files"),
    };

    private static unsafe bool IsInside(SafetensorsFile file, HostBuffer buffer)
    {
        var entries = file.Entries.Values;
        return buffer.Address >= (nint)entries.Min(e => (nuint)file.Pointer(e))
            && buffer.Address < (nint)entries.Max(e => (nuint)file.Pointer(e) + (nuint)e.Bytes);
    }

    private static SingleFileModel Open(string path, string? config = null) =>
        (SingleFileModel)ModelSource.Open(path, new ModelSourceOptions { ConfigFolder = config ?? Golden.Folder("tiny-sdxl") });

    private string Write(string model, string kind, DType dtype = DType.Float16,
        Action<Dictionary<string, (Shape Shape, float[] Values)>>? change = null) =>
        OriginalFile.Write(Path.Combine(folder.Path, $"{model}.safetensors"), Golden.Folder(model), OriginalFile.Layout(kind), dtype,
            change);
}
