using System.CommandLine;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary><c>ilgd tokenize</c>: shows a model's tokens of a prompt.</summary>
internal static class TokenizeCommand
{
    public static Command Create()
    {
        var prompt = new Argument<string>("prompt") { Description = "The text" };
        var (model, json) = (Options.Model(), Options.Json("ids and pieces"));
        var command = new Command("tokenize", "Shows how a model's text encoders read a prompt") { prompt, model, json };
        command.SetAction(parsed =>
        {
            var folder = ModelSource.Open(parsed.GetValue(model) ?? EmbeddedModel.Folder);
            string[] all = [.. folder.Components.Keys.Where(c => c.StartsWith("tokenizer", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)];
            string[] names = [.. all.Where(name => folder.Component(name).Class.StartsWith("CLIPTokenizer", StringComparison.Ordinal))];
            if (names.Length == 0) throw new ModelFileException(folder.Path, $"{folder.ClassName} lists no CLIP tokenizer.");
            foreach (string other in all.Except(names))
                Messages.Warning($"{other} is left out: only CLIP tokenizers are supported, and it is a {folder.Component(other).Class}.");
            var results = names
                .Select(name => (name, tokens: ClipTokenizer.Load(folder.TokenizerOf(name)).Encode(parsed.GetValue(prompt)!))).ToArray();
            if (parsed.GetValue(json))
            {
                JsonOutput.Print(results.ToDictionary(r => r.name,
                    r => new { ids = r.tokens.Ids, count = r.tokens.Count, pieces = r.tokens.Pieces, cut = r.tokens.CutText }));
                return ExitCodes.Done;
            }

            foreach (var (name, tokens) in results)
            {
                Console.WriteLine($"{name}: {tokens.Count} of {tokens.Ids.Length} tokens");
                Terminals.Say(string.Join(' ', tokens.Ids.Zip(tokens.Pieces, (id, piece) => $"{id}:{piece}")), indent: 2);
                if (tokens.Warning is { } warning) Messages.Warning(warning);
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
