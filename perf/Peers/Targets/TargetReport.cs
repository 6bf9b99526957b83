using System.Globalization;
using System.Text;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>The table of targets as Markdown.</summary>
internal static class TargetReport
{
    /// <summary>The table, then the profiles and notes, then the single ops.</summary>
    public static string Write(IReadOnlyList<TargetRow> rows, string name, bool reduced)
    {
        var text = new StringBuilder();
        Machine machine = rows[0].Machine;
        bool narrow = Environment.GetEnvironmentVariable("DOTNET_EnableAVX512") == "0"; // as perf/run.sh sets it
        text.AppendLine("# CPU speed compared with libtorch and stable-diffusion.cpp\n");
        if (reduced)
            text.AppendLine("**Reduced**: few ops, and small models in place of large ones. This only checks that the programs work.\n");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"{machine.Date}, {machine.Processor}, {machine.Threads} threads, registers {machine.Registers}, {machine.System}, "
                + $"{machine.Runtime}, commit {string.Join(", ", rows.Select(r => r.Machine.Commit).Distinct())}.");
        string second = rows.Any(r => r.Other is not null) ? "; stable-diffusion.cpp, float16 weights, in its own processes" : "";
        text.AppendLine($"Peers: {rows.Select(r => r.Peer).FirstOrDefault(p => p.Length > 0, "none")}, float32{second}. Processor share of "
            + "other programs, per row: "
            + $"{string.Join(", ", rows.Select(r => r.Others.ToString("0.0 %", CultureInfo.InvariantCulture)))}.");
        text.AppendLine("A ratio is the peer's time over ours, the median of interleaved rounds in one process; `low–high` are the lowest "
            + "and highest round, or for a mean the lowest and highest case.");
        text.AppendLine("*Noisy*: the peer's best differs by more than 15 % from its own median, or other programs took more than a tenth "
            + "of the processors. Such a ratio is unreliable, because libtorch divides work evenly among threads and waits for the last "
            + $"one.\n\n    perf/run.sh {(reduced ? "try" : narrow ? "targets-avx2" : "targets")}\n\n![ratios]({name}.svg)\n");
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

        text.AppendLine("\n## Profile\n\nFor whole models: the share of our time by kind of op and, in brackets, the peer's time over ours "
            + "for that kind.\n");
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
