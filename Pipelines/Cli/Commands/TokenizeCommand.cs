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
        var (model, json) = (new ModelArguments(), Options.Json("ids and pieces"));
        var command = new Command("tokenize", "Shows how a model's text encoders read a prompt") { prompt, model.Model, json };
        foreach (var option in model.Source) command.Add(option);
        command.SetAction(parsed =>
        {
            var source = ModelSource.Open(model.Path(parsed), model.SourceOf(parsed));
            string[] all = [.. source.Components.Keys.Where(c => c.StartsWith("tokenizer", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)];
            string[] names = [.. all.Where(name => source.Component(name).Class.StartsWith("CLIPTokenizer", StringComparison.Ordinal))];
            if (names.Length == 0) throw new ModelFileException(source.Path, $"{source.ClassName} lists no CLIP tokenizer.");
            foreach (string other in all.Except(names))
                Messages.Warning($"{other} is left out: only CLIP tokenizers are supported, and it is a {source.Component(other).Class}.");
            string text = parsed.GetValue(prompt)!;
            var results = names.Select(name => (name, tokens: ClipTokenizer.Load(source.TokenizerOf(name)).Encode(text))).ToArray();
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
