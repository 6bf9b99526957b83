using System.Diagnostics;
using System.Globalization;
using System.Text;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// Compares two built checkouts on the same models, alternating after every run: a process of each build waits while the other's runs.
/// Every pair of processes is restarted several times, because the addresses of its memory make a process fast or slow for its lifetime.
/// </summary>
/// <param name="old">The checkout to compare with.</param>
/// <param name="new">The one to compare.</param>
/// <param name="arguments">Further arguments of <c>model</c>, such as the size.</param>
/// <param name="rounds">Timings of each build in each pair of processes.</param>
/// <param name="processes">Pairs of processes.</param>
internal sealed class BuildComparison(string old, string @new, string[] arguments, int rounds, int processes)
{
    private const double LeastSeconds = 0.05; // shorter runs are repeated
    private const double WarmSeconds = 2; // .NET recompiles hot methods while they run

    /// <summary>A table in Markdown.</summary>
    public string Run(IEnumerable<string> models)
    {
        var table = new StringBuilder(
            "| model | build | best ms | median ms | least … most ms | median CPU ms | others' share |\n| --- | --- | ---: | ---: | ---: | "
                + "---: | ---: |\n");
        var ratios = new StringBuilder();
        foreach (string model in models)
        {
            var bystanders = new BackgroundLoad();
            var (first, second, same) = Measure(ModelFiles.Folder(model));
            string others = bystanders.Share.ToString("P0", CultureInfo.InvariantCulture);
            foreach (var (name, t) in new[] { ("old", first), ("new", second) })
                table.AppendLine(CultureInfo.InvariantCulture,
                    $"| {model} | {name} | {t.Best * 1e3:F2} | {t.Median * 1e3:F2} | {t.Seconds.Min() * 1e3:F2} … "
                        + $"{t.Seconds.Max() * 1e3:F2} | {Timings.Middle(t.ProcessorSeconds) * 1e3:F2} | {others} |");
            var ratio = second.Over(first);
            double[] processor = [.. second.ProcessorSeconds.Zip(first.ProcessorSeconds, (mine, theirs) => mine / theirs).Order()];
            ratios.AppendLine(CultureInfo.InvariantCulture,
                $"{model}: new/old, wall: {ratio.Median:F3} (half of the {first.Seconds.Length} rounds within "
                    + $"{Quartiles(second.Seconds.Zip(first.Seconds, (mine, theirs) => mine / theirs))}), of the best {ratio.OfBest:F3}; "
                        + $"processor: {Timings.Middle(processor):F3} ({Quartiles(processor)}), of the least {ratio.OfProcessor:F3}; "
                            + $"outputs {(same ? "equal" : "DIFFERENT")}.");
        }

        return $"{table}\n{ratios}";
    }

    private (Timings Old, Timings New, bool Same) Measure(string model)
    {
        var samples = new[] { new List<(double Wall, double Processor)>(), new List<(double Wall, double Processor)>() };
        bool same = true;
        for (int pair = 0; pair < processes; pair++)
        {
            using var first = new RunningModel(old, [model, .. arguments]);
            using var second = new RunningModel(@new, [model, .. arguments]);
            RunningModel[] builds = [first, second];
            same &= first.Output == second.Output;
            int repeats = (int)Math.Ceiling(LeastSeconds / Math.Min(Warm(first), Warm(second)));
            for (int round = 0; round < rounds; round++)
                for (int i = 0; i < builds.Length; i++)
                {
                    int turn = (round + pair + i) % builds.Length;
                    samples[turn].Add(builds[turn].Run(repeats));
                }
        }

        Timings[] timings = [.. samples.Select(s => new Timings([.. s.Select(t => t.Wall)], [.. s.Select(t => t.Processor)]))];
        return (timings[0], timings[1], same);
    }

    // Warms up; returns the shortest run's seconds.
    private static double Warm(RunningModel model)
    {
        double least = double.MaxValue;
        for (long start = Stopwatch.GetTimestamp(); least == double.MaxValue || Stopwatch.GetElapsedTime(start).TotalSeconds < WarmSeconds;)
            least = Math.Min(least, model.Run(1).Wall);
        return least;
    }

    private static string Quartiles(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Length / 4]:F3} … {sorted[sorted.Length * 3 / 4]:F3}");
    }

    /// <summary>A build's process that waits for requests (<see cref="ModelOnRequest"/>).</summary>
    private sealed class RunningModel : IDisposable
    {
        private const string Program = "artifacts/bin/ILGpuDiffusion.Pipelines.Perf/release/ILGpuDiffusion.Pipelines.Perf";
        private readonly Process process;

        public RunningModel(string build, string[] arguments)
        {
            string program = Path.Combine(build, Program);
            if (!File.Exists(program))
                throw new FileNotFoundException($"{program} does not exist; build {build} with dotnet build -c Release.");
            process = Process.Start(new ProcessStartInfo(program, ["on-request", .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true
            })!;
            Output = Read();
        }

        /// <summary>A hash of the model's output.</summary>
        public string Output { get; }

        public (double Wall, double Processor) Run(int repeats)
        {
            process.StandardInput.WriteLine(repeats);
            double[] seconds = [.. Read().Split(' ').Select(s => double.Parse(s, CultureInfo.InvariantCulture))];
            return (seconds[0], seconds[1]);
        }

        public void Dispose()
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }

        private string Read() =>
            process.StandardOutput.ReadLine()
                ?? throw new InvalidOperationException($"{process.StartInfo.FileName} ended; see its message above.");
    }
}
