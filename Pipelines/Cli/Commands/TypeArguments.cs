using System.CommandLine;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Metadata;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options for the types that models compute in.</summary>
internal sealed class TypeArguments
{
    private readonly Option<string?> dtype = Options.Word("--dtype",
        "Type that the models compute in: auto (default), fp32, fp16 or bf16; on a CPU auto or fp32, whatever the weights are stored in",
        "TYPE", "auto", "fp32", "tf32", "fp16", "bf16");
    private readonly Option<string?> vae = Component("--vae-dtype",
        "The autoencoder's own type; auto (default) is --dtype, or fp32 where fp16 is known to overflow");
    private readonly Option<string?> text = Component("--text-encoder-dtype", "The text encoders' own type; auto (default) is --dtype");

    /// <summary>In the order of the help.</summary>
    public IReadOnlyList<Option> All => [dtype, vae, text];

    /// <summary>The options of a pipeline with these types; types that are not given are those of an image, where the device has them.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="options">Its other options; the device is set.</param>
    /// <param name="origin">Metadata of the image to generate again; null for none.</param>
    /// <exception cref="ArgumentException">The device does not compute in one of the types.</exception>
    public PipelineOptions Apply(ParseResult parsed, PipelineOptions options, GenerationMetadata? origin = null)
    {
        var device = options.Device!;
        return options with
        {
            DType = Of(dtype, origin?.DType),
            VaeDType = Of(vae, origin?.VaeDType),
            TextEncoderDType = Of(text, origin?.TextEncoderDType),
        };

        DType? Of(Option<string?> option, string? drawnIn) => parsed.GetValue(option) is { } word ? Type(option.Name, word, device)
            : Enum.TryParse(drawnIn, out DType type) && Enum.IsDefined(type) && device.Computes(type) ? type : null;
    }

    private static Option<string?> Component(string name, string description) =>
        Options.Word(name, description, "TYPE", "auto", "fp32", "fp16", "bf16");

    private static DType? Type(string option, string word, Device device)
    {
        DType? dtype = word switch { "fp32" => DType.Float32, "fp16" => DType.Float16, "bf16" => DType.BFloat16, _ => null };
        if (word == "auto" || (dtype is { } asked && device.Computes(asked))) return dtype;
        if (word == "tf32")
            throw new ArgumentException($"{option}: there are no kernels for tf32. fp32 computes in whole float32; fp16 and bf16 use a " +
                "GPU's matrix units.");
        string refusal = device.Backend == Backends.Cpu ? $"a CPU computes in fp32, not '{word}'"
            : $"{device.Id} does not compute in '{word}'";
        throw new ArgumentException($"{option}: {refusal}. Weights stored as bf16 or fp16 are used as they are; leave {option} out.");
    }
}
