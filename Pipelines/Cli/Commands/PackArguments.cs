using System.CommandLine;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The option that names kernel packs.</summary>
internal static class PackArguments
{
    /// <summary>Files of compiled kernels.</summary>
    public static Option<string[]?> Files() => new("--pack")
    {
        Description = "Compiled kernels that ilgd pack made for this model and device, from a source that you trust",
        HelpName = "F.ilgpack",
    };
}
