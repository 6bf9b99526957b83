using System.CommandLine;
using System.Globalization;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary><c>ilgd pack</c>: writes what a first start of a model on some devices would compute.</summary>
internal static class PackCommand
{
    public static Command Create()
    {
        var model = new Argument<string?>("model")
        {
            Description = "Folder in diffusers' format, or a whole model in a safetensors file; without it the tool's own small model",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var devices = List("--device", $"Devices, separated by commas: {KernelRecorder.Forms}", "D,…");
        devices.Required = true;
        var output = new Option<string>("--output", "-o") { Description = "The file to write", HelpName = "F.ilgpack", Required = true };
        var sizes = new Option<PixelSize[]?>("--size")
        {
            Description = "Sizes of images, separated by commas; the model's own if left out. Other sizes mostly need the same kernels",
            HelpName = "WxH,…",
            CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(',')).Select(text => Size(text, result))],
        };
        var counts = new Option<int[]?>("--count")
        {
            Description = "Numbers of images generated together, separated by commas; 1 if left out",
            HelpName = "N,…",
            CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(',')).Select(text => Number(text, result))],
        };
        var dtypes = List("--dtype", "Types, separated by commas: auto (default, each device's own), fp32, fp16, bf16", "TYPE,…");
        var quantize = Options.Word("--quantize", "Linear layers of the denoiser in int8; none (default) or int8", "TYPE", "none", "int8");
        var variant = new Option<string?>("--variant")
        {
            Description = "Weight files to take where the folder has several, such as fp16",
            HelpName = "NAME",
        };
        var vaeTiling = new Option<bool>("--vae-tiling") { Description = "For images that are decoded in tiles" };
        var (compile, source, json) = (new CompileArguments(), new ModelArguments(), Options.Json("what is in the pack"));
        var command = new Command("pack", "Compiles a model's kernels, also for absent devices, so that a start compiles nothing")
            { model, devices, output, sizes, counts, dtypes, quantize, variant, vaeTiling, json };
        foreach (var option in compile.HowMuch.Concat(source.Source)) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            string file = parsed.GetValue(output)!;
            OutputFile.RequireWritable([file]);
            var pack = await ModelPack.CreateAsync(parsed.GetValue(model) ?? EmbeddedModel.Folder, file, new ModelPackOptions
            {
                Devices = parsed.GetValue(devices)!,
                Sizes = parsed.GetValue(sizes) ?? [],
                Counts = parsed.GetValue(counts) ?? [],
                DTypes = DTypes(parsed.GetValue(dtypes)),
                Quantize = parsed.GetValue(quantize) == "int8" ? QuantizationMode.Int8 : QuantizationMode.None,
                Compile = compile.Read(parsed),
                Variant = parsed.GetValue(variant),
                VaeTiling = parsed.GetValue(vaeTiling) ? new VaeTiling() : null,
                Source = source.SourceOf(parsed),
                LoggerFactory = MessageLoggers.Instance,
            }, cancellation).ConfigureAwait(false);
            InspectPack.Print(pack, parsed.GetValue(json));
            return ExitCodes.Done;
        });
        return command;
    }

    private static Option<string[]?> List(string name, string description, string helpName) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(','))],
    };

    private static DType[] DTypes(string[]? words) => words is null or ["auto"] ? [] : [.. words.Select(word => word switch
    {
        "fp32" => DType.Float32,
        "fp16" => DType.Float16,
        "bf16" => DType.BFloat16,
        _ => throw new ArgumentException($"--dtype: {OutsideText.Quote(word)} must be auto, or of fp32, fp16 and bf16, between commas."),
    })];

    private static PixelSize Size(string text, System.CommandLine.Parsing.ArgumentResult result)
    {
        if (Options.ParseSize(text) is { } size) return size;
        result.AddError($"--size: {OutsideText.Quote(text)} must be width x height in pixels, such as 1024x768.");
        return default;
    }

    private static int Number(string text, System.CommandLine.Parsing.ArgumentResult result)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0) return number;
        result.AddError($"--count: {OutsideText.Quote(text)} must be a whole number above 0.");
        return 1;
    }
}
