using System.Text;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Families;

namespace ILGpuDiffusion.Pipelines;

/// <summary>What a safetensors file is, by its header: a whole model, an autoencoder, or something else such as a LoRA.</summary>
/// <param name="Path">The file.</param>
/// <param name="Kind">What it is, for people; such as <c>Stable Diffusion XL base</c> or <c>a LoRA or another adapter</c>.</param>
/// <param name="ClassName">diffusers' pipeline class; null if the file is no model that <see cref="ModelSource.Open"/> opens.</param>
/// <param name="PredictionType">What the denoiser predicts, as in diffusers' <c>prediction_type</c>; null if the file is no model.</param>
/// <param name="Parts">Its components, then the tensors that belong to none as <c>other</c>.</param>
public sealed record ModelFileInfo(string Path, string Kind, string? ClassName, string? PredictionType, IReadOnlyList<ModelFilePart> Parts)
{
    private const string Other = "other";

    /// <summary>Reads a file's header.</summary>
    /// <exception cref="ModelFileException">The file is missing, damaged, or no safetensors file.</exception>
    public static ModelFileInfo Read(string path)
    {
        OtherFormats.Reject(path);
        var table = TensorTable.Read(path);
        if (SingleFileModel.Find(table, FamilyCatalog.Files) is { } layout)
        {
            ModelFilePart[] parts = [.. layout.Components.Select(part => (part, own: table.Below(part.Prefix)))
                .Where(p => p.own.Tensors.Count > 0)
                .Select(p => Part(p.part.Name, p.part.Class, p.own, () => p.part.Config(p.own)))];
            var rest = new TensorTable(path, table.Tensors.Where(t => !layout.Components.Any(part =>
                t.Key.StartsWith(part.Prefix, StringComparison.Ordinal))));
            return new(path, layout.Kind, layout.PipelineClass, (string?)layout.Scheduler(table)["prediction_type"],
                rest.Tensors.Count == 0 ? parts : [.. parts, Part(Other, "", rest, null)]);
        }

        string kind = OtherKinds.Of(table) ?? (table.Tensors.Count == 0 ? "a file without tensors" : "tensors of no known model");
        return new(path, kind, null, null, VaeFile.IsOne(table)
            ? [Part("vae", "AutoencoderKL", table, () => ImpliedConfigs.Autoencoder(VaeFile.Find(table).Table))]
            : [Part(Other, "", table, null)]);
    }

    private static ModelFilePart Part(string name, string type, TensorTable own, Func<JsonObject>? config)
    {
        var tensors = own.Tensors.Values;
        ModelConfig? implied = null;
        string? problem = null;
        try
        {
            if (config is not null) implied = ModelConfig.Parse(Encoding.UTF8.GetBytes(config().ToJsonString()), own.File);
        }
        catch (ModelFileException e)
        {
            string file = $"{OutsideText.Line(own.File)}: "; // said already
            problem = e.Message.StartsWith(file, StringComparison.Ordinal) ? e.Message[file.Length..] : e.Message;
        }

        return new(name, type, own.Tensors.Count, tensors.Sum(t => t.Shape.Count), tensors.Sum(t => t.Bytes),
            [.. tensors.Select(t => t.StoredType).Distinct().Order(StringComparer.Ordinal)], implied, problem);
    }
}

/// <summary>A component in a file.</summary>
/// <param name="Name">diffusers' name: <c>unet</c>, <c>vae</c> …</param>
/// <param name="ClassName">Its Python class; empty for tensors of no component.</param>
/// <param name="Tensors">Number of its tensors.</param>
/// <param name="Parameters">Number of their elements.</param>
/// <param name="Bytes">Their stored size.</param>
/// <param name="Types">Their types as the file names them: <c>F16</c>, <c>BF16</c> …</param>
/// <param name="Config">The configuration that follows from the shapes; null if there is none.</param>
/// <param name="Problem">Why none follows; null if one does, or none is to be expected.</param>
public sealed record ModelFilePart(string Name, string ClassName, int Tensors, long Parameters, long Bytes, IReadOnlyList<string> Types,
    ModelConfig? Config, string? Problem);
