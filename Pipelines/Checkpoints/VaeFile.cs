using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>An autoencoder in a safetensors file: in a whole model's, or alone, under original or diffusers' names.</summary>
internal sealed class VaeFile
{
    private VaeFile(TensorTable table, string prefix, NameMap map) => (Table, Prefix, Map) = (table, prefix, map);

    /// <summary>Its tensors under diffusers' names.</summary>
    public TensorTable Table { get; }

    /// <summary>What its names in the file begin with.</summary>
    public string Prefix { get; }

    /// <summary>Its names without the prefix.</summary>
    public NameMap Map { get; }

    /// <summary>Whether a file holds an autoencoder and nothing else.</summary>
    public static bool IsOne(TensorTable table) => IsOriginal(table) || IsDiffusers(table);

    /// <summary>The autoencoder of a file.</summary>
    /// <exception cref="ModelFileException">The file holds none.</exception>
    public static VaeFile Find(TensorTable table)
    {
        foreach (string prefix in (string[])[AutoencoderNames.Prefix, "vae.", ""])
        {
            var own = prefix.Length == 0 ? table : table.Below(prefix);
            if (!IsOne(own)) continue;
            var map = IsOriginal(own) ? AutoencoderNames.Of(own) : NameMap.Same;
            return new VaeFile(own.Renamed(map), prefix, map);
        }

        throw new ModelFileException(table.File, $"holds no autoencoder{(OtherKinds.Of(table) is { } kind ? $": it is {kind}" : "")}. "
            + "Expected tensors first_stage_model.…, or encoder.… and decoder.…, as in the files of autoencoders.");
    }

    private static bool IsOriginal(TensorTable t) => t.HasGroup("decoder.up.0") && t.HasGroup("decoder.mid.block_1");

    private static bool IsDiffusers(TensorTable t) => t.HasGroup("decoder.up_blocks.0.resnets") && t.HasGroup("decoder.mid_block");
}
