using System.Globalization;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Formats numbers with units.</summary>
internal static class Quantity
{
    /// <summary>Such as <c>5.1 GiB</c>.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        < 1 << 10 => $"{bytes} B",
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:F1} KiB"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:F1} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:F1} GiB"),
    };

    /// <summary>Such as <c>2.57 B</c> for parameters.</summary>
    public static string Count(long count) => count switch
    {
        < 1_000_000 => count.ToString(CultureInfo.InvariantCulture),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{count / 1e6:F1} M"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{count / 1e9:F2} B"),
    };

    /// <summary>Such as <c>0.8 s</c> or <c>3:25 min</c>.</summary>
    public static string Time(double seconds) => seconds < 120
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:F1} s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 60}:{(int)seconds % 60:D2} min");
}
