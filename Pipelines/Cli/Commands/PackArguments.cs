using System.CommandLine;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The option that names kernel packs.</summary>
internal static class PackArguments
{
    /// <summary>Files of compiled kernels.</summary>
    public static Option<string[]?> Files() => new("--pack")
    {
        Description = "Kernels that ilgd pack compiled for this model and device; trust it as a program",
        HelpName = "F.ilgpack",
    };
}
