using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Checkpoints;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Images of a model in one file are those of its folder.</summary>
[Collection(nameof(OneGpuTestAtATime))]
public sealed class SingleFileImageTests : IDisposable
{
    private const string Xl = "Stable Diffusion XL base", Recorded = "tiny-sdxl-single-file/tiny-sdxl.safetensors";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory, InlineData(DType.Float32), InlineData(DType.Float16), InlineData(DType.BFloat16)]
    public void Generate_WrittenFile_EqualsTheFolderToTheBit(DType dtype)
    {
        string model = TinySdxl.CopyAs(Path.Combine(folder.Path, "model"), dtype),
            file = OriginalFile.Write(Path.Combine(folder.Path, "model.safetensors"), model, OriginalFile.Layout(Xl), dtype);
        Equal(Draw(model), Draw(file, new() { ConfigFolder = model }));
    }

    [Fact]
    public void Generate_RecordedFile_EqualsTheFolderToTheBit()
    {
        string file = Golden.Folder(Recorded), model = Golden.Folder("tiny-sdxl");
        var (actual, expected) = (Draw(file, new() { ConfigFolder = model }), Draw(model));
        Assert.Equal(expected.Images[0].Pixels, actual.Images[0].Pixels);
        Equal(Draw(TinySdxl.CopyAs(Path.Combine(folder.Path, "half"), DType.Float16, model)), actual);
    }

    public static TheoryData<string> Devices => [.. TestDevices.Gpus];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Devices))]
    public void Generate_RecordedFileOnGpu_EqualsTheFolderToTheBit(string id)
    {
        var device = TestDevices.OpenForModels(id);
        string file = Golden.Folder(Recorded), half = TinySdxl.CopyAs(Path.Combine(folder.Path, "half"), DType.Float16);
        Equal(Draw(half, device: device), Draw(file, new() { ConfigFolder = half }, device));
    }

    [Fact]
    public void Generate_OtherVae_ChangesTheImage()
    {
        string vae = Path.Combine(Golden.Folder("tiny-sdxl"), "vae"), other = Path.Combine(folder.Path, "vae.safetensors");
        using (var weights = Layers.Weights.Checkpoint.OpenFolder(vae))
            OriginalFile.Write(other, weights.Names.ToDictionary(name => name, name => (weights.Find(name)!.Shape,
                weights.Find(name)!.ReadFloats().Select(value => name == "decoder.conv_out.bias" ? value + 0.5f : value).ToArray())),
                DType.Float32);
        var (own, same, changed) = (Draw(TinySdxl.Folder), Draw(TinySdxl.Folder, new() { Vae = vae }),
            Draw(TinySdxl.Folder, new() { Vae = other }));
        Equal(own, same);
        Assert.Equal(own.Latents!.Values, changed.Latents!.Values);
        Assert.NotEqual(own.Images[0].Pixels, changed.Images[0].Pixels);
    }

    private static GenerationResult Draw(string model, ModelSourceOptions? source = null, Device? device = null)
    {
        using var pipeline = DiffusionPipeline.FromPretrained(model, new PipelineOptions { Source = source, Device = device });
        return pipeline.Generate(TinySdxl.Request, null, default);
    }

    private static void Equal(GenerationResult expected, GenerationResult actual)
    {
        Assert.Equal(expected.Latents!.Values, actual.Latents!.Values);
        Assert.Equal(expected.Images[0].Pixels, actual.Images[0].Pixels);
    }
}
