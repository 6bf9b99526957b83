using System.CommandLine;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Cli;

/// <summary>Suggests a correction for a mistyped word.</summary>
internal static class Guess
{
    /// <summary>The option or command of a command that is closest to an unknown word; null where none is close.</summary>
    public static string? Token(string word, Command command)
    {
        word = word.Split('=', ':')[0];
        var everywhere = command.Parents.OfType<Command>().SelectMany(parent => parent.Options).Where(option => option.Recursive);
        return NearestName.Of(word, word.StartsWith('-')
            ? command.Options.Concat(everywhere).SelectMany(option => (string[])[option.Name, .. option.Aliases])
                .Where(name => name.StartsWith("--", StringComparison.Ordinal))
            : command.Subcommands.Select(sub => sub.Name));
    }
}
