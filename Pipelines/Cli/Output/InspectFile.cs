using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Output of <c>ilgd inspect</c> for a file of weights: what it is.</summary>
internal static class InspectFile
{
    /// <summary>The numbers of a configuration that tell models apart.</summary>
    private static readonly string[] Telling =
    [
        "in_channels", "latent_channels", "block_out_channels", "layers_per_block", "transformer_layers_per_block", "attention_head_dim",
        "cross_attention_dim", "scaling_factor", "hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act", "projection_dim",
    ];

    /// <summary>Prints what a file is.</summary>
    /// <exception cref="ModelFileException">It is missing, damaged, or no safetensors file.</exception>
    public static void Print(string path, bool json)
    {
        var info = ModelFileInfo.Read(path);
        if (json)
        {
            JsonOutput.Print(new
            {
                path = info.Path,
                kind = info.Kind,
                @class = info.ClassName,
                prediction_type = info.PredictionType,
                components = info.Parts.Select(part => new
                {
                    name = part.Name,
                    @class = part.ClassName,
                    tensors = part.Tensors,
                    parameters = part.Parameters,
                    bytes = part.Bytes,
                    types = part.Types,
                    config = part.Config?.Keys.ToDictionary(key => key, key => part.Config.Find(key)),
                    problem = part.Problem,
                }).ToArray(),
            });
            return;
        }

        Terminals.Say($"{info.Kind}  {OutsideText.Line(info.Path)}");
        if (info.ClassName is not null) Terminals.Say($"{info.ClassName}, predicts {info.PredictionType}");
        var table = new Listing("", "", "", "");
        foreach (var part in info.Parts)
            table.Add(part.Name, part.ClassName, $"{part.Tensors} tensors, {Quantity.Count(part.Parameters)} parameters, "
                + $"{Quantity.Bytes(part.Bytes)}, {string.Join(" + ", part.Types)}", part.Problem ?? Numbers(part.Config));
        table.Print();
    }

    private static string Numbers(ModelConfig? config) => config is null ? ""
        : string.Join(", ", Telling.Where(config.Has).Select(key => $"{key} {config.Find(key)}"));
}
