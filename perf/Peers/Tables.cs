using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Peers;

/// <summary>Results as Markdown.</summary>
internal static class Tables
{
    /// <summary>One row per op, size, storage and peer.</summary>
    public static string Ops(IEnumerable<OpResult> results)
    {
        var text = new StringBuilder(
            "| op | case | weights | peer | ms | peer ms | GFLOP/s | peer | ratio | low–high | CPU time | | error |\n| --- | --- | --- | "
                + "--- | ---: | ---: | ---: | ---: | ---: | --- | ---: | --- | ---: |\n");
        foreach (var r in results)
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {r.Op} | {r.Case} | {r.Way} | {r.Peer} | {r.Milliseconds:F3} | {r.PeerMilliseconds:F3} | {r.Gflops:F0} | "
                    + $"{r.PeerGflops:F0} | {r.Ratio.Median:F2} | {r.Ratio.Low:F2}–{r.Ratio.High:F2} | {r.Ratio.OfProcessor:F2} | "
                        + $"{(r.Ratio.IsNoisy ? "noisy" : "")} | {r.Error:E1} |");
        return text.ToString();
    }
}
