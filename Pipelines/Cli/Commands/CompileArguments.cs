using System.CommandLine;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Cli;

/// <summary>The arguments that say how models are compiled.</summary>
internal sealed class CompileArguments
{
    private readonly Option<string?> mode = Options.Word("--compile", "Passes over the models' graphs: default, reduce-overhead (replays launches on CUDA), max-autotune (also measures tiles), or none", "MODE", "none", "default", "reduce-overhead", "max-autotune");
    private readonly Option<string?> scope = Options.Word("--compile-scope", "What is compiled at a time: full (default), blocks (repeated blocks once, the rest not at all) or regions (repeated parts once, the rest by itself)", "SCOPE", "blocks", "regions", "full");
    private readonly Option<bool> fuseQkv = new("--fuse-qkv") { Description = "Computes query, key and value as one product even with --compile none" };

    public void AddTo(GroupedCommand command) => command.AddGroup("Compilation", mode, scope, fuseQkv);

    /// <summary>Whether query, key and value are fused on their own.</summary>
    public bool FusesQkv(ParseResult parsed) => parsed.GetValue(fuseQkv);

    /// <summary>The options for a pipeline.</summary>
    /// <exception cref="ArgumentException">A scope for nothing.</exception>
    public CompileOptions Read(ParseResult parsed)
    {
        string? wanted = parsed.GetValue(scope);
        if (parsed.GetValue(mode) == "none")
            return wanted is null ? CompileOptions.Eager : throw new ArgumentException($"--compile-scope is '{wanted}', but --compile none compiles nothing. Leave one of them out.");
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
