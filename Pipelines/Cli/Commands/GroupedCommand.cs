using System.CommandLine;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>A command whose help shows its options in groups.</summary>
internal sealed class GroupedCommand(string name, string description, params string[] examples) : Command(name, description)
{
    private readonly List<(string Title, Option[] Options)> groups = [];

    /// <summary>The options, in the order of the help.</summary>
    public IReadOnlyList<(string Title, Option[] Options)> Groups => groups;

    /// <summary>Example invocations.</summary>
    public IReadOnlyList<string> Examples => examples;

    /// <summary>Adds options under a title.</summary>
    public void AddGroup(string title, params Option[] options)
    {
        groups.Add((title, options));
        foreach (var option in options) Add(option);
    }
}
