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
        "auto (default), fp32, tf32 (faster GEMMs on NVIDIA GPUs), fp16, bf16; CPUs have fp32",
        "TYPE", "auto", "fp32", "tf32", "fp16", "bf16");
    private readonly Option<string?> vae = Component("--vae-dtype",
        "The autoencoder's type; auto (default) is --dtype, or fp32 where fp16 overflows");
    private readonly Option<string?> text = Component("--text-encoder-dtype", "The text encoders' own type; auto (default) is --dtype");

    /// <summary>In the order of the help.</summary>
    public IReadOnlyList<Option> All => [dtype, vae, text];

    /// <summary>
    /// The options of a pipeline with these types; types that are not given are those of an image, where the device has them.
    /// </summary>
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
            Float32Precision = parsed.GetValue(dtype) is { } word ? Precision(word, device)
                : origin is { } drawn && device.Computes(drawn.Float32Precision) ? drawn.Float32Precision : Float32Precision.Highest,
            VaeDType = Of(vae, origin?.VaeDType),
            TextEncoderDType = Of(text, origin?.TextEncoderDType),
        };

        DType? Of(Option<string?> option, string? drawnIn) => parsed.GetValue(option) is { } given ? Type(option.Name, given, device)
            : Enum.TryParse(drawnIn, out DType type) && Enum.IsDefined(type) && device.Computes(type) ? type : null;
    }

    /// <summary>A result's warning, with the option for what it advises.</summary>
    public static string Explain(string warning) =>
        warning.Contains(nameof(PipelineOptions.VaeDType), StringComparison.Ordinal) ? $"{warning} That is --vae-dtype fp32 or bf16."
            : warning;

    private static Option<string?> Component(string name, string description) =>
        Options.Word(name, description, "TYPE", "auto", "fp32", "fp16", "bf16");

    private Float32Precision Precision(string word, Device device)
    {
        if (word != "tf32") return Float32Precision.Highest;
        string others = string.Join(", ", ((string[])["fp32", "fp16", "bf16"]).Where(other => device.Computes(Named(other)!.Value)));
        return device.Computes(Float32Precision.TensorFloat32) ? Float32Precision.TensorFloat32
            : throw new ArgumentException($"{dtype.Name}: {device.Id} ({device.Architecture}) has no tf32, which NVIDIA GPUs have from "
                + $"compute capability 8.0 on. It computes in {others}.");
    }

    private static DType? Named(string word) => word switch
    {
        "fp32" or "tf32" => DType.Float32,
        "fp16" => DType.Float16,
        "bf16" => DType.BFloat16,
        _ => null,
    };

    private static DType? Type(string option, string word, Device device)
    {
        var dtype = Named(word);
        if (word == "auto" || (dtype is { } asked && device.Computes(asked))) return dtype;
        string refusal = device.Backend == Backends.Cpu ? $"a CPU computes in fp32, not '{word}'"
            : $"{device.Id} does not compute in '{word}'";
        throw new ArgumentException($"{option}: {refusal}. Weights stored as bf16 or fp16 are used as they are; leave {option} out.");
    }
}
