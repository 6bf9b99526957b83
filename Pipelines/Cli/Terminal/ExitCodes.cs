namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>What the process answers.</summary>
internal static class ExitCodes
{
    public const int Done = 0, Failed = 1, WrongUsage = 2, Cancelled = 130;
}
