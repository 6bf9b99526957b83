using System.CommandLine;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Perf;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Measuring;

var op = new Argument<string>("op") { Description = "The op's name, such as Conv2D" };
var filter = new Option<string>("--filter") { Description = "Only cases whose name contains this", DefaultValueFactory = _ => "" };
var tests = new Option<bool>("--test-cases") { Description = "The cases of the tests in place of the models' sizes" };
var shapes = new Option<string[]>("--shape")
{
    Description =
    "In place of the models' sizes, repeatable: a convolution IN-OUT@HEIGHTxWIDTH[,kKERNEL][,sSTRIDE], a GEMM ROWSxDEPTH-COLUMNS, "
        + "attention HEADSxDEPTH@QUERIESxKEYS",
    AllowMultipleArgumentsPerToken = true
};
var variants = new Option<string[]>("--variant")
{
    Description = "Only these variants; by default all that can run the case",
    AllowMultipleArgumentsPerToken = true
};
var against = new Option<DirectoryInfo?>("--against")
{
    Description =
    "Folder of this program built from another commit: compares what the op chooses here with what it chooses there"
};
var rounds = new Option<int>("--rounds") { Description = "Timings per variant", DefaultValueFactory = _ => 7 };
var least = new Option<double>("--least-ms")
{
    Description =
    "A timing repeats shorter runs until it has taken this long; 0 with many rounds suits busy machines, where some runs are undisturbed",
    DefaultValueFactory = _ => 20
};
var where = new Option<string>("--device") { Description = "cpu, cuda:0, opencl:0 …", DefaultValueFactory = _ => "cpu" };
var settings = new Option<string[]>("--settings")
{
    Description =
    "Settings of variants, such as 'tile_rows=64 tile_columns=64'; repeatable, each in addition to the default settings",
    AllowMultipleArgumentsPerToken = true
};
var threads = new Option<int?>("--threads") { Description = "Worker threads" };
var weights = new Option<DType>("--weights") { Description = "How weights are stored", DefaultValueFactory = _ => DType.BFloat16 };
var activations = new Option<DType>("--activations")
{
    Description =
    "Type of activations, and of weights unless they are float32",
    DefaultValueFactory = _ => DType.Float32
};
var json = new Option<FileInfo?>("--json") { Description = "File for the results as JSON" };
var root = new RootCommand("Times an op's variants, or two builds, against each other, interleaved in one process.") { op, filter, tests,
    shapes, variants, settings, against, rounds, least, where, threads, weights, activations, json };
root.SetAction(parsed =>
{
    string name = parsed.GetValue(op)!;
    var type = OpCatalog.Ops.FirstOrDefault(t => t.Name == name);
    if (type is null)
        throw new ArgumentException($"op is {name}; it must be one of {string.Join(", ", OpCatalog.Ops.Select(t => t.Name))}.");
    var stored = parsed.GetValue(activations);
    var dtype = stored == DType.Float32 ? parsed.GetValue(weights) : stored;
    string[] given = parsed.GetValue(shapes) ?? [];
    var sizes = (given.Length > 0 ? given : parsed.GetValue(tests) ? [] : ModelCases.SizesOf(name)).Where(s =>
        s.Contains(parsed.GetValue(filter)!, StringComparison.Ordinal));
    using var device = DeviceCatalog.Open(parsed.GetValue(where)!, parsed.GetValue(threads));
    if (!device.Computes(stored)) throw new ArgumentException($"--activations is {stored}; {device.Id} does not compute in it.");
    var comparison = new VariantComparison(device, parsed.GetValue(rounds), Math.Max(parsed.GetValue(least), 1e-3) / 1e3,
        parsed.GetValue(variants) ?? [], parsed.GetValue(settings) ?? []);
    IEnumerable<Timing> timings;
    if (parsed.GetValue(against) is { } directory)
    {
        if (device is not CpuDevice cpu) throw new ArgumentException("--against compares builds on the CPU.");
        var other = new OtherBuild(directory.FullName);
        timings = sizes.SelectMany(s => comparison.Measure(ModelCases.Of(name, s, dtype), ["this build", "other build"],
            [OtherBuild.OwnRun(name, s, dtype.ToString(), cpu.Threads), other.Run(name, s, dtype, cpu.Threads)]));
    }
    else
    {
        var cases = parsed.GetValue(tests)
            ? OpCatalog.Cases.Where(c => c.Op == type).SelectMany(c => c.Cases)
                .Where(c => c.Name.Contains(parsed.GetValue(filter)!, StringComparison.Ordinal))
            : sizes.Select(s => ModelCases.Of(name, s, dtype));
        timings = cases.Select(c => stored == DType.Float32 ? c : c.With(stored)).OfType<OpCase>().SelectMany(comparison.Variants);
    }

    Results.Print(device, [.. timings], parsed.GetValue(json));
});
return root.Parse(args).Invoke();
