using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Families;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The published models, whose tensors are recorded by name and shape, as single files.</summary>
public sealed class PublishedModelsTests
{
    /// <summary>Model, kind, and the folders of components that the record has under another name.</summary>
    public static TheoryData<string, string, string> Models => new()
    {
        { "stable-diffusion-v1-5", "Stable Diffusion 1.x", "" },
        { "stable-diffusion-2-1", "Stable Diffusion 2.x", "" },
        { "stable-diffusion-xl-base-1.0", "Stable Diffusion XL base", "" },
        { "stable-diffusion-xl-refiner-1.0", "Stable Diffusion XL refiner", "text_encoder" },
        { "stable-diffusion-xl-1.0-inpainting-0.1", "Stable Diffusion XL inpainting", "" },
    };

    /// <summary>Names that diffusers tells these files by.</summary>
    private static readonly Dictionary<string, string[]> Telling = new()
    {
        ["Stable Diffusion 1.x"] = ["model.diffusion_model.output_blocks.11.0.skip_connection.weight",
            "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight"],
        ["Stable Diffusion 2.x"] = ["model.diffusion_model.input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight",
            "cond_stage_model.model.token_embedding.weight"],
        ["Stable Diffusion XL base"] = ["conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias",
            "conditioner.embedders.0.transformer.text_model.embeddings.position_embedding.weight"],
        ["Stable Diffusion XL refiner"] = ["conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias",
            "conditioner.embedders.0.model.text_projection"],
        ["Stable Diffusion XL inpainting"] = ["model.diffusion_model.input_blocks.0.0.weight",
            "first_stage_model.decoder.mid.attn_1.proj_out.weight"],
    };

    [Theory, MemberData(nameof(Models))]
    public void Names_ThereAndBack_AreTheSame(string model, string kind, string secondEncoder)
    {
        foreach (var (part, diffusers) in Parts(model, kind, secondEncoder))
        {
            var stored = OriginalFile.Of(part, diffusers);
            var original = OriginalFile.Table(model, stored.Select(s => (s.Key, s.Value.Shape)));
            var back = original.Renamed(part.Names(original));
            Assert.Equal(diffusers.Tensors.Select(t => $"{t.Key} {t.Value.Shape}").Order(StringComparer.Ordinal),
                back.Tensors.Select(t => $"{t.Key} {t.Value.Shape}").Order(StringComparer.Ordinal));
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void Find_PublishedModel_GivesItsConfigurations(string model, string kind, string secondEncoder)
    {
        var file = File(model, kind, secondEncoder);
        var layout = SingleFileModel.Find(file, FamilyCatalog.Files)!;
        Assert.Equal(kind, layout.Kind);
        Assert.All(Telling[kind], name => Assert.True(file.Has(name), name));
        var folder = ModelFolder.Open(Golden.Folder($"real-configs/{model}"));
        Assert.Equal(folder.ClassName, layout.PipelineClass);
        foreach (var part in layout.Components)
            Implied.Equal(part, folder.ConfigOf(FolderOf(part, secondEncoder)), Config(part, file));
        var published = folder.ConfigOf("scheduler");
        foreach (var (key, value) in layout.Scheduler(file))
            if (published.Find(key) is { } expected) Assert.Equal(expected.GetRawText(), value!.ToJsonString());
            else Assert.Contains($"{key} {value}", (string[])["rescale_betas_zero_snr false", "prediction_type epsilon"]);
        foreach (var (key, value) in layout.Options) Assert.Equal(folder.Index.Bool(key), value);
    }

    [Theory]
    [InlineData("stable-diffusion-v1-5", "Stable Diffusion 1.x", 9, "Stable Diffusion 1.x inpainting")]
    [InlineData("stable-diffusion-2-1", "Stable Diffusion 2.x", 9, "Stable Diffusion 2.x inpainting")]
    [InlineData("stable-diffusion-v1-5", "Stable Diffusion 1.x", 8, null)] // InstructPix2Pix
    [InlineData("stable-diffusion-2-1", "Stable Diffusion 2.x", 5, null)] // depth to image
    [InlineData("stable-diffusion-2-1", "Stable Diffusion 2.x", 7, null)] // upscaler
    public void Find_InputChannels_TellsInpainting(string model, string kind, int channels, string? found)
    {
        const string First = "model.diffusion_model.input_blocks.0.0.weight";
        var table = File(model, kind, "", t => t[First] = Shape.Create([320, channels, 3, 3]));
        var layout = SingleFileModel.Find(table, FamilyCatalog.Files);
        Assert.Equal(found, layout?.Kind);
        if (layout is null) Assert.Contains($"{channels} input channels", OtherKinds.Of(table), StringComparison.Ordinal);
        else Assert.Equal(channels, Config(layout.Components[0], table).Int("in_channels"));
    }

    [Theory]
    [InlineData("", "epsilon", false)]
    [InlineData("v_pred", "v_prediction", false)]
    [InlineData("v_pred ztsnr", "v_prediction", true)]
    [InlineData("edm_mean edm_std", null, false)]
    [InlineData("edm_vpred.sigma_max", null, false)]
    public void Scheduler_MarkersOfXl_TellThePrediction(string markers, string? prediction, bool zero)
    {
        var table = File("stable-diffusion-xl-base-1.0", "Stable Diffusion XL base", "", t =>
        {
            foreach (string marker in markers.Split(' ', StringSplitOptions.RemoveEmptyEntries)) t[marker] = Shape.Create([0]);
        });
        var layout = SingleFileModel.Find(table, FamilyCatalog.Files);
        Assert.Equal(prediction, (string?)layout?.Scheduler(table)["prediction_type"]);
        Assert.Equal(zero, (bool?)layout?.Scheduler(table)["rescale_betas_zero_snr"] ?? false);
        if (layout is null) Assert.Contains("EDM", OtherKinds.Reject(table, FamilyCatalog.Files).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(875000, "", "epsilon", 64)]
    [InlineData(140000, "", "v_prediction", 96)]
    [InlineData(null, "", "v_prediction", 96)]
    [InlineData(null, "modelspec.prediction_type=epsilon", "epsilon", 64)]
    [InlineData(875000, "modelspec.predict_key=v", "v_prediction", 96)]
    public void Scheduler_StepOfTwo_TellsThePrediction(int? step, string stated, string prediction, int side)
    {
        var table = File("stable-diffusion-2-1", "Stable Diffusion 2.x", "");
        table = new TensorTable(table.File, table.Tensors,
            step is { } value ? new Dictionary<string, long> { ["global_step"] = value } : null,
            stated.Split('=') is [var key, var word] ? new Dictionary<string, string> { [key] = word } : null);
        var layout = SingleFileModel.Find(table, FamilyCatalog.Files)!;
        Assert.Equal(prediction, (string?)layout.Scheduler(table)["prediction_type"]);
        Assert.Equal(side, Config(layout.Components[0], table).Int("sample_size"));
    }

    private static ModelConfig Config(SingleFileComponent part, TensorTable file) => ModelConfig.Parse(
        System.Text.Encoding.UTF8.GetBytes(part.Config(file.Below(part.Prefix)).ToJsonString()), file.File);

    private static string FolderOf(SingleFileComponent part, string secondEncoder) =>
        part.Name == "text_encoder_2" && secondEncoder.Length > 0 ? secondEncoder : part.Name;

    private static IEnumerable<(SingleFileComponent Part, TensorTable Diffusers)> Parts(string model, string kind, string secondEncoder) =>
        OriginalFile.Layout(kind).Components.Select(part => (part, OriginalFile.Published(model, FolderOf(part, secondEncoder))));

    private static TensorTable File(string model, string kind, string secondEncoder, Action<Dictionary<string, Shape>>? change = null)
    {
        var all = new Dictionary<string, Shape> { ["model_ema.decay"] = Shape.Create([]), ["betas"] = Shape.Create([1000]) };
        foreach (var (part, diffusers) in Parts(model, kind, secondEncoder))
            foreach (var (name, stored) in OriginalFile.Of(part, diffusers)) all.Add(part.Prefix + name, stored.Shape);
        change?.Invoke(all);
        return OriginalFile.Table(model, all.Select(t => (t.Key, t.Value)));
    }
}
