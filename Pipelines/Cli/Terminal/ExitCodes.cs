namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>Exit codes of the process.</summary>
internal static class ExitCodes
{
    public const int Done = 0, Failed = 1, WrongUsage = 2, Cancelled = 130;
}
