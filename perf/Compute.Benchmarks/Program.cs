using System.CommandLine;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Benchmarks;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Measuring;

var filter = new Option<string>("--filter") { Description = "Only cases whose 'Op sizes' contains this", DefaultValueFactory = _ => "" };
var tests = new Option<bool>("--test-cases") { Description = "The cases of the tests in place of the models' sizes" };
var weights = new Option<DType>("--weights") { Description = "How weights are stored", DefaultValueFactory = _ => DType.BFloat16 };
var quick = new Option<bool>("--quick") { Description = "Three short iterations, to try the program" };
var threads = new Option<int?>("--threads") { Description = "Worker threads" };
var folder = new Option<string>("--to") { Description = "Folder for Markdown and JSON",
    DefaultValueFactory = _ => Path.Combine(Machine.Repository, "artifacts/benchmarks") };
var root = new RootCommand("Single ops under BenchmarkDotNet, scored against the machine's measured ceilings.") { filter, tests, weights,
    quick, threads, folder };
root.SetAction(parsed =>
{
    IEnumerable<(string Name, OpCase Case)> all = parsed.GetValue(tests)
        ? OpCatalog.Cases.SelectMany(c => c.Cases).Select(c => ($"{c.Op.GetType().Name} {c.Name}", c))
        : ModelCases.Groups.Values.SelectMany(g => g)
            .Select(c => ($"{c.Op} {c.Sizes}", ModelCases.Of(c.Op, c.Sizes, parsed.GetValue(weights))));
    foreach (var (name, @case) in all.Where(c =>
        c.Name.Contains(parsed.GetValue(filter)!, StringComparison.Ordinal))) OpBenchmarks.Chosen.TryAdd(name, @case);
    OpBenchmarks.Threads = parsed.GetValue(threads);
    using var device = new CpuDevice(OpBenchmarks.Threads);
    var ceilings = device.Ceilings!;
    Console.WriteLine($"// {Machine.Current(device)}\n// ceilings: {ceilings}");

    var config = ManualConfig.CreateEmpty().WithArtifactsPath(parsed.GetValue(folder)!).AddLogger(ConsoleLogger.Default)
        .WithOptions(ConfigOptions.DisableLogFile)
        // the cases exist only in this process
        .AddJob((parsed.GetValue(quick) ? Job.ShortRun : Job.Default).WithToolchain(InProcessEmitToolchain.Instance))
        .AddColumnProvider(DefaultColumnProviders.Params, DefaultColumnProviders.Metrics)
            .AddColumn(StatisticColumn.Median, StatisticColumn.Min, StatisticColumn.StdDev).AddColumn(ScoreColumn.Of(ceilings))
        .AddExporter(MarkdownExporter.GitHub, JsonExporter.Brief).WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(60));
    return BenchmarkRunner.Run<OpBenchmarks>(config).HasCriticalValidationErrors ? 1 : 0;
});
return root.Parse(args).Invoke();
