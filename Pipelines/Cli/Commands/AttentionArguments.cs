using System.CommandLine;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options that select how attention is computed.</summary>
internal sealed class AttentionArguments
{
    private readonly Option<string?> backend = Options.Word("--attention",
        "Kind of attention: auto (default), flash, memory-efficient or math",
        "BACKEND", [.. Enum.GetValues<AttentionBackend>().Select(AttentionReport.WordOf)]);
    private readonly Option<bool> precise = new("--precise-attention")
    {
        Description = "Does not round softmax weights to 16 bits on matrix units: slower"
    };

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> All => [backend, precise];

    /// <summary>The options of a pipeline.</summary>
    /// <exception cref="ArgumentException">Another backend than flash is asked to be precise.</exception>
    public AttentionOptions Read(ParseResult parsed)
    {
        string word = parsed.GetValue(backend) ?? "auto";
        bool exact = parsed.GetValue(precise);
        if (exact && word is not ("auto" or "flash"))
            throw new ArgumentException($"--precise-attention is given with --attention {word}, which is exact anyway. Leave one of them " +
                "out.");
        return new(Enum.GetValues<AttentionBackend>().Single(b => AttentionReport.WordOf(b) == word), exact);
    }
}
