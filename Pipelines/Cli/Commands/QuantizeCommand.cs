using System.CommandLine;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Quantization;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary><c>ilgd quantize</c>: writes a model with int8 weights.</summary>
internal static class QuantizeCommand
{
    public static Command Create()
    {
        var model = new Argument<string?>("model")
        {
            Description = "Folder in diffusers' format, or safetensors file; without it the small model that ships with the tool",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "Folder to write, which must be new or empty",
            HelpName = "DIR",
            Required = true,
        };
        var variant = new Option<string?>("--variant")
        {
            Description = "Weight files to take where the folder has several, such as fp16",
            HelpName = "NAME",
        };
        var (quantize, source, json) = (new QuantizeArguments(), new ModelArguments(), Options.Json("what was quantised"));
        var command = new Command("quantize",
            "Writes a model with int8 weights as a folder, which starts without quantising anything and takes less space")
            { model, output, variant, json };
        foreach (var option in quantize.All.Concat(source.Source)) command.Add(option);
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(model) ?? EmbeddedModel.Folder, folder = parsed.GetValue(output)!;
            if (quantize.ModeOf(parsed) is QuantizationMode.None)
                throw new ArgumentException("--quantize is 'none'; it must be int8 or int8-weight-only.");
            var options = new PipelineOptions { Variant = parsed.GetValue(variant), Source = source.SourceOf(parsed) };
            options = quantize.ReadAs(parsed, quantize.ModeOf(parsed) ?? QuantizationMode.Int8, options);
            using var device = new CpuDevice();
            using var pipeline = DiffusionPipeline.FromPretrained(path, options with { Device = device });
            pipeline.SaveQuantized(folder);
            if (parsed.GetValue(json))
            {
                JsonOutput.Print(new { folder, components = pipeline.QuantizedComponents.Select(GenerateReport.Of) });
                return ExitCodes.Done;
            }

            var table = new Listing("component", "type", ">layers", ">bytes before", ">bytes");
            foreach (var part in pipeline.QuantizedComponents)
                table.Add(part.Name, $"{part.Mode}", $"{part.Layers}", Quantity.Bytes(part.OriginalBytes), Quantity.Bytes(part.Bytes));
            table.Print();
            Messages.Note($"ilgd generate PROMPT --model {OutsideText.Line(folder)}");
            return ExitCodes.Done;
        });
        return command;
    }
}
