using System.CommandLine;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>
/// <c>ilgd inspect</c>: shows what is in a model's folder or file, or how an image was generated.
/// </summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var model = new Argument<string?>("model")
        {
            Description = "Folder in diffusers' format, safetensors file, or image; without it the small model that ships with the tool",
            Arity = ArgumentArity.ZeroOrOne
        };
        var json = Options.Json("the summary");
        var graph = new Option<bool>("--graph")
        {
            Description =
            "Shows the compiled denoiser and decoder instead: launches, kernels, memory, operations"
        };
        var steps = new Option<bool>("--steps") { Description = "With --graph: every launch, not only sums" };
        var size = Options.Size("--size", "With --graph: size of the image; the model's own if left out");
        var measure = new Option<bool>("--measure") { Description = "With --graph: runs the plans and shows every launch's time" };
        var part = Options.Word("--part", "With --graph: only one of the plans", "PLAN", "all", "denoiser", "decoder");
        var svg = new Option<string?>("--svg")
        {
            Description =
            "With --graph: an image of the plans: time, memory, distance from the device's ceilings",
            HelpName = "FILE.svg"
        };
        var html = new Option<string?>("--html")
        {
            Description = "With --graph: the same as a page with a table of all launches",
            HelpName = "FILE.html"
        };
        var (compile, device, source) = (new CompileArguments(), new DeviceArguments(), new ModelArguments());
        var types = new TypeArguments();
        var command = new Command("inspect", "Shows what is in a model's folder or file, or how an image was generated")
            { model, json, graph, size, measure, part, steps, svg, html };
        foreach (var option in device.All) command.Add(option);
        foreach (var option in types.All.Concat(compile.HowMuch).Concat(source.Source)) command.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(graph)) return;
            Option[] given = [.. ((Option[])[size, measure, part, steps, svg, html, .. device.All, .. types.All, .. compile.HowMuch,
                .. source.Source])
                .Where(o => result.GetResult(o) is { Implicit: false })];
            if (given.Length > 0) result.AddError($"{string.Join(", ", given.Select(o => o.Name))}: only with --graph.");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            if (InspectImage.IsImage(parsed.GetValue(model)))
            {
                InspectImage.Print(parsed.GetValue(model)!, parsed.GetValue(json));
                return ExitCodes.Done;
            }

            if (!parsed.GetValue(graph) && File.Exists(parsed.GetValue(model)))
            {
                InspectFile.Print(parsed.GetValue(model)!, parsed.GetValue(json));
                return ExitCodes.Done;
            }

            string path = parsed.GetValue(model) ?? EmbeddedModel.Folder;
            if (parsed.GetValue(graph))
            {
                OutputFile.RequireWritable(new[] { parsed.GetValue(svg), parsed.GetValue(html) }.OfType<string>());
                using var opened = device.Open(parsed);
                using var pipeline = DiffusionPipeline.FromPretrained(path, types.Apply(parsed, new PipelineOptions
                {
                    Device = opened,
                    Compile = compile.Read(parsed),
                    LoadWeights = parsed.GetValue(measure),
                    Source = source.SourceOf(parsed),
                }));
                var plans = await InspectGraph.PlansAsync(pipeline, parsed.GetValue(size), parsed.GetValue(measure), cancellation)
                    .ConfigureAwait(false);
                if (parsed.GetValue(part) is { } only and not "all") plans = [.. plans.Where(p => p.Name == only)];
                if (parsed.GetValue(svg) is { } image) OutputFile.WriteText(image, PlanImage.Render(plans));
                if (parsed.GetValue(html) is { } page)
                    OutputFile.WriteText(page, PlanPage.Html($"{plans[0].Model}: compiled plans", plans));
                Console.Write(parsed.GetValue(json) ? InspectGraph.Json(path, pipeline, plans) + "\n"
                    : new Page(Terminals.OutputColumns).Paragraph($"computes in: {string.Join(", ", pipeline.Precisions)}").Line()
                        + InspectGraphText.Of(plans, parsed.GetValue(steps), Terminals.OutputColumns));
                return ExitCodes.Done;
            }

            var folder = ModelFolder.Open(path);
            var parts = folder.Components.Keys.Order(StringComparer.Ordinal).Select(name => Describe(folder, name)).ToArray();
            if (parsed.GetValue(json))
            {
                JsonOutput.Print(new { path = folder.Path, @class = folder.ClassName, components = parts });
                return ExitCodes.Done;
            }

            Terminals.Say($"{OutsideText.Line(folder.ClassName, 200)}  {OutsideText.Line(folder.Path)}");
            var table = new Listing("", "", "");
            foreach (var part in parts)
                table.Add(part.Name, part.Class, part.Parameters == 0 ? ""
                    : $"{Quantity.Count(part.Parameters)} parameters, {Quantity.Bytes(part.Bytes)}, {string.Join(" + ", part.Types)}");
            table.Print();
            return ExitCodes.Done;
        });
        return command;
    }

    private static Part Describe(ModelFolder folder, string name)
    {
        string type = folder.Component(name).Class;
        if (!type.Contains("Model", StringComparison.Ordinal) && !type.StartsWith("Autoencoder", StringComparison.Ordinal))
            return new Part(name, type, 0, 0, []);
        using var weights = folder.WeightsOf(name, logger: MessageLoggers.Logger);
        WeightTensor[] tensors = [.. weights.Names.Select(n => weights.Find(n)!)];
        return new Part(name, type, tensors.Sum(t => t.Shape.Count), tensors.Sum(t => t.Bytes),
            [.. tensors.Select(TypeOf).Distinct().Order(StringComparer.Ordinal)]);
    }

    private static string TypeOf(WeightTensor tensor) =>
        tensor.StoredType is "F64" or "F8_E4M3" or "F8_E5M2" ? $"{tensor.StoredType} as {tensor.DType}" : tensor.DType.ToString();

    private sealed record Part(string Name, string Class, long Parameters, long Bytes, string[] Types);
}
