using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>NaN and infinity are detected where they arise, and the error names the part.</summary>
[Collection(nameof(OneGpuTestAtATime))]
public sealed class NonFiniteTests
{
    public static TheoryData<string> Devices => ["cpu", .. TestDevices.Gpus];

    [Theory, MemberData(nameof(Devices))]
    public void Loop_NonFiniteLatents_NamesTheStep(string id)
    {
        using var pipeline = Load(id, TinySdxl.Folder);
        var request = TinySdxl.Request with { Steps = 5, Scheduler = pipeline.CreateScheduler("euler_a"), Decode = false };
        // the start noise is draw 0, that of step 0 draw 1
        var error = Assert.Throws<NonFiniteException>(() => pipeline.Generate(request, null, default, BadFrom(draw: 3)));
        Assert.Equal(("unet", 2), (error.Part, error.Step));
        Assert.Contains("after step 3 of 5 (timestep ", error.Message, StringComparison.Ordinal);
        Assert.Single(pipeline.Generate(request with { Decode = true }, null, default).Images);
    }

    [Theory]
    [InlineData("unet", "diffusion_pytorch_model", "conv_in.bias", "unet", 0),
        InlineData("vae", "diffusion_pytorch_model", "decoder.conv_in.bias", "vae", null)]
    [InlineData("text_encoder", "model", "mlp.fc2.bias", "text_encoder", null),
        InlineData("text_encoder_2", "model", "mlp.fc2.bias", "text_encoder_2", null)]
    public void Generate_Overflow_NamesThePart(string component, string file, string weight, string part, int? step)
    {
        using var folder = new TemporaryFolder();
        string copy = TinySdxl.CopyTo(Path.Combine(folder.Path, "model"));
        Spoil(Path.Combine(copy, component, file + ".safetensors"), weight, float.MaxValue);
        using var pipeline = Load("cpu", copy);
        var error = Assert.Throws<NonFiniteException>(() =>
            pipeline.Generate(TinySdxl.Request with { Decode = part == "vae" }, null, default));
        Assert.Equal((part, step), (error.Part, error.Step));
        Assert.StartsWith($"{part} computed ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_NonFiniteWeight_NamesItAndItsFile()
    {
        using var folder = new TemporaryFolder();
        string copy = TinySdxl.CopyTo(Path.Combine(folder.Path, "model")),
            file = Path.Combine(copy, "unet", "diffusion_pytorch_model.safetensors");
        Spoil(file, "conv_in.bias", float.NaN);
        using var pipeline = Load("cpu", copy);
        var error = Assert.Throws<ModelFileException>(() => pipeline.Generate(TinySdxl.Request with { Decode = false }, null, default));
        Assert.Equal(file, error.File);
        Assert.Contains("'conv_in.bias' holds NaN or infinity", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_ThatOverflow_AreNotBlamedOnTheWeights()
    {
        using var pipeline = Load("cpu", TinySdxl.Folder);
        var error = Assert.Throws<NonFiniteException>(() =>
            pipeline.Generate(TinySdxl.Request with { FreeU = new FreeU(1e38, 1e38, 1e38, 1e38), Decode = false }, null, default));
        Assert.Equal(("unet", 0), (error.Part, error.Step));
        Assert.Contains("FreeU", error.Message, StringComparison.Ordinal);
    }

    private static DiffusionPipeline Load(string id, string folder) =>
        DiffusionPipeline.FromPretrained(folder,
            new PipelineOptions { Device = id == "cpu" ? null : TestDevices.OpenForModels(id), DType = DType.Float32 });

    /// <summary>Noise that is NaN from a given draw on.</summary>
    private static Func<NoiseSource> BadFrom(int draw) => () =>
    {
        var (generator, drawn) = (new TorchGenerator(1), 0);
        return values =>
        {
            generator.Fill(values);
            if (drawn++ >= draw) values[values.Length / 2] = float.NaN;
        };
    };

    private static void Spoil(string path, string weight, float value)
    {
        var writer = new SafetensorsWriter();
        using (var file = SafetensorsFile.Open(path))
            foreach (var (name, entry) in file.Entries)
            {
                float[] values = file.ReadFloats(name);
                if (name.EndsWith(weight, StringComparison.Ordinal)) values[1] = value;
                writer.Add(name, DType.Float32, entry.Shape, values);
            }

        File.Delete(path); // writing would follow the link
        writer.Save(path);
    }
}
