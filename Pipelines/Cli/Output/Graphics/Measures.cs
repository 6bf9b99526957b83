using System.Globalization;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Formats numbers with units for images and tables, with three digits.</summary>
internal static class Measures
{
    public static string Time(double seconds) => Scaled(seconds, (1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"));

    public static string Bytes(double bytes) => Scaled(bytes, (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"));

    public static string Flops(double flops) => Scaled(flops, (1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP"), (1e3, "kFLOP"), (1, "FLOP"));

    public static string Percent(double share) =>
        share >= 0.995 || share == 0 ? Digits(100 * share) + " %"
            : (100 * share).ToString(share < 0.0995 ? "0.0" : "0", CultureInfo.InvariantCulture) + " %";

    private static string Scaled(double value, params ReadOnlySpan<(double Unit, string Name)> units)
    {
        foreach (var (unit, name) in units)
            if (value >= 0.9995 * unit) return $"{Digits(value / unit)} {name}";
        return $"{Digits(value / units[^1].Unit)} {units[^1].Name}";
    }

    private static string Digits(double value) =>
        value.ToString(value >= 99.95 ? "0" : value >= 9.995 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
}
