using System.CommandLine;
using System.Text.Json;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli;

/// <summary><c>ilgd inspect</c>: what a model folder holds.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var model = new Argument<string?>("model") { Description = "Folder in diffusers' format; without it the small model that ships with the tool", Arity = ArgumentArity.ZeroOrOne };
        var json = Options.Json("the summary");
        var graph = new Option<bool>("--graph") { Description = "Shows the compiled denoiser and decoder instead: launches, kernels, memory, operations" };
        var steps = new Option<bool>("--steps") { Description = "With --graph: every launch, not only sums" };
        var pixels = Options.Positive("--pixels", "With --graph: height and width of the picture; the model's own if left out");
        var command = new Command("inspect", "Shows what a model folder holds") { model, json, graph, steps, pixels };
        command.Validators.Add(result =>
        {
            if (result.GetValue(graph) && result.GetValue(json)) result.AddError("--graph prints text only; leave out --json.");
            if (!result.GetValue(graph) && (result.GetValue(steps) || result.GetValue(pixels) is not null)) result.AddError("--steps and --pixels belong to --graph.");
        });
        command.SetAction(parsed =>
        {
            var folder = ModelFolder.Open(parsed.GetValue(model) ?? EmbeddedModel.Folder);
            if (parsed.GetValue(graph))
            {
                Console.Write(InspectGraph.Text(folder, parsed.GetValue(pixels), parsed.GetValue(steps)));
                return ExitCodes.Done;
            }

            var parts = folder.Components.Keys.Order(StringComparer.Ordinal).Select(name => Describe(folder, name)).ToArray();
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { path = folder.Path, @class = folder.ClassName, components = parts }, JsonForm.Indented));
                return ExitCodes.Done;
            }

            Console.WriteLine($"{folder.ClassName}  {folder.Path}");
            foreach (var part in parts)
                Console.WriteLine($"  {part.Name,-16} {part.Class,-32} {(part.Parameters == 0 ? "" : $"{Quantity.Count(part.Parameters)} parameters, {Quantity.Bytes(part.Bytes)}, {string.Join(" + ", part.Types)}")}".TrimEnd());
            return ExitCodes.Done;
        });
        return command;
    }

    private static Part Describe(ModelFolder folder, string name)
    {
        string type = folder.Component(name).Class;
        if (!type.Contains("Model", StringComparison.Ordinal) && !type.StartsWith("Autoencoder", StringComparison.Ordinal)) return new Part(name, type, 0, 0, []);
        using var weights = folder.WeightsOf(name);
        WeightTensor[] tensors = [.. weights.Names.Select(n => weights.Find(n)!)];
        return new Part(name, type, tensors.Sum(t => t.Shape.Count), tensors.Sum(t => t.Bytes), [.. tensors.Select(t => t.DType.ToString()).Distinct().Order(StringComparer.Ordinal)]);
    }

    private sealed record Part(string Name, string Class, long Parameters, long Bytes, string[] Types);
}
