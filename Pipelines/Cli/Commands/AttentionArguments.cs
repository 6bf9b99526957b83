using System.CommandLine;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options that select how attention is computed.</summary>
internal sealed class AttentionArguments
{
    private static readonly (string Word, AttentionBackend Backend)[] Words =
    [
        ("auto", AttentionBackend.Auto), ("flash", AttentionBackend.Flash), ("memory-efficient", AttentionBackend.MemoryEfficient),
        ("math", AttentionBackend.Math),
    ];

    private readonly Option<string?> backend = Options.Word("--attention",
        "Kind of attention: auto (default), flash, memory-efficient or math",
        "BACKEND", [.. Words.Select(w => w.Word)]);
    private readonly Option<bool> precise = new("--precise-attention")
    {
        Description = "Does not round softmax weights to 16 bits on matrix units: slower"
    };

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> All => [backend, precise];

    /// <summary>A backend's word.</summary>
    public static string WordOf(AttentionBackend backend) => Words.Single(w => w.Backend == backend).Word;

    /// <summary>The options of a pipeline.</summary>
    /// <exception cref="ArgumentException">Another backend than flash is asked to be precise.</exception>
    public AttentionOptions Read(ParseResult parsed)
    {
        string word = parsed.GetValue(backend) ?? "auto";
        bool exact = parsed.GetValue(precise);
        if (exact && word is not ("auto" or "flash"))
            throw new ArgumentException($"--precise-attention is given with --attention {word}, which is exact anyway. Leave one of them " +
                "out.");
        return new(Words.Single(w => w.Word == word).Backend, exact);
    }
}
