using System.Globalization;
using System.Text;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>The table of targets as Markdown.</summary>
internal static class TargetReport
{
    /// <summary>Table, then what explains it, then the single ops.</summary>
    public static string Write(IReadOnlyList<TargetRow> rows, string name, bool reduced)
    {
        var text = new StringBuilder();
        Machine machine = rows[0].Machine;
        bool narrow = Environment.GetEnvironmentVariable("DOTNET_EnableAVX512") == "0"; // as perf/run.sh sets it
        text.AppendLine("# The CPU beside its peers\n");
        if (reduced)
            text.AppendLine("**Reduced**: few ops, small models in place of large ones. This shows that the programs work; it judges "
                + "nothing.\n");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"{machine.Date}, {machine.Processor}, {machine.Threads} threads, registers {machine.Registers}, {machine.System}, "
                + $"{machine.Runtime}, commit {string.Join(", ", rows.Select(r => r.Machine.Commit).Distinct())}.");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"Peers: {rows.Select(r => r.Peer).FirstOrDefault(p => p.Length > 0, "none")}, "
                + (rows.Any(r => r.Other is not null)
                    ? "float32; stable-diffusion.cpp, float16 weights, in processes of its own. " : "float32. ")
                + $"Other programs took {string.Join(", ", rows.Select(r => r.Others.ToString("0.0 %", CultureInfo.InvariantCulture)))} "
                + $"of the processors while the rows were measured.");
        text.AppendLine("A ratio is the peer's time over ours, the median of rounds in which both took turns in one process; `low–high` "
            + "are the rounds' extremes, or of a mean the least and greatest case.");
        text.AppendLine($"*Noisy*: the peer's best is more than 15 % from its own median, or other programs took more than a tenth of the "
            + $"processors, so that the ratio says little: libtorch divides work evenly among threads and waits for the last.\n\n    "
                + $"perf/run.sh {(reduced ? "try" : narrow ? "targets-avx2" : "targets")}\n\n![ratios]({name}.svg)\n");
        text.AppendLine("| work | | peer | reached | low–high | CPU time | floor | goal | |\n| --- | --- | --- | ---: | --- | ---: | ---: "
            + "| ---: | --- |");
        foreach (var row in rows)
            for (int i = 0; i < row.Checks.Count; i++)
            {
                var c = row.Checks[i];
                string spread = c.Spread is { } s
                    ? string.Create(CultureInfo.InvariantCulture, $"{s.Low:F2}–{s.High:F2} | {s.OfProcessor:F2}×") : " | ";
                text.AppendLine($"| {(i == 0 ? row.Work : "")} | {c.What} | {c.Peer} | {c.Text} | {spread} | {c.Asked(c.Floor)} | "
                    + $"{c.Asked(c.Goal)} | {Bold(c.Verdict)}{(c.Missing is null ? "" : ": " + c.Missing)} |");
            }

        text.AppendLine("\n## What explains it\n\nOf whole models: the share of our time by kind of op, and in brackets how many times "
            + "longer the peer took for that kind.\n");
        foreach (var row in rows.Where(r => r.Notes.Count > 0))
        {
            text.AppendLine($"- {row.Work}:");
            foreach (string note in row.Notes) text.AppendLine($"  - {note}");
        }

        foreach (var row in rows.Where(r => r.Ops is not null)) text.AppendLine($"\n## {row.Work}\n").Append(Tables.Ops(row.Ops!));
        return text.ToString();
    }

    private static string Bold(string verdict) => verdict is "not met" or "noisy" ? $"**{verdict}**" : verdict;
}
