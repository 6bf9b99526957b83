using System.CommandLine;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options for compilation.</summary>
internal sealed class CompileArguments
{
    private readonly Option<string?> mode =
        Options.Word("--compile", "Graph passes: default, reduce-overhead (CUDA graphs), max-autotune, none", "MODE", "none", "default",
            "reduce-overhead", "max-autotune");
    private readonly Option<string?> scope =
        Options.Word("--compile-scope", "full (default), regions (part by part) or blocks (repeated ones only)", "SCOPE", "blocks",
            "regions", "full");
    private readonly Option<bool> fuseQkv = new("--fuse-qkv")
    {
        Description =
        "Computes query, key and value as one GEMM, even with --compile none"
    };

    /// <summary>Mode and scope.</summary>
    public IReadOnlyList<Option> HowMuch => [mode, scope];

    public void AddTo(GroupedCommand command) => command.AddGroup("Compilation", mode, scope, fuseQkv);

    /// <summary>Whether query, key and value are fused with <c>--fuse-qkv</c>.</summary>
    public bool FusesQkv(ParseResult parsed) => parsed.GetValue(fuseQkv);

    /// <summary>The compile options of a pipeline.</summary>
    /// <exception cref="ArgumentException">A scope is given, and nothing is compiled.</exception>
    public CompileOptions Read(ParseResult parsed)
    {
        string? wanted = parsed.GetValue(scope);
        if (parsed.GetValue(mode) == "none")
            return wanted is null ? CompileOptions.Eager
                : throw new ArgumentException(
                    $"--compile-scope is '{wanted}', but --compile none compiles nothing. Leave one of them out.");
        return new CompileOptions
        {
            Mode = parsed.GetValue(mode) switch
            {
                "reduce-overhead" => CompileMode.ReduceOverhead,
                "max-autotune" => CompileMode.MaxAutotune,
                _ => CompileMode.Default,
            },
            Scope = wanted switch
            {
                "blocks" => CompileScope.Blocks,
                "regions" => CompileScope.Regions,
                _ => CompileScope.Full,
            },
        };
    }
}
