using System.CommandLine;
using System.Text.Json;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Measuring;
using ILGpuDiffusion.Peers;

var threads = new Option<int?>("--threads") { Description = "Threads of every engine; all processors if left out", Recursive = true };
var rounds = new Option<int>("--rounds") { Description = "Timings of each engine", DefaultValueFactory = _ => 5 };
var json = new Option<FileInfo?>("--json") { Description = "File for the results as JSON" };
var pixels = new Option<int>("--pixels") { Description = "Height and width of the image", DefaultValueFactory = _ => 512 };

var group = new Argument<string>("group") { Description = $"One of {string.Join(", ", ModelCases.Groups.Keys)}" };
var filter = new Option<string>("--filter") { Description = "Only cases whose name contains this", DefaultValueFactory = _ => "" };
var ops = new Command("ops", "Single ops against libtorch, interleaved") { group, filter, rounds, json };
ops.SetAction(parsed => Run(parsed.GetValue(threads), device =>
{
    var results = new OpComparison(device, parsed.GetValue(rounds)).Measure(parsed.GetValue(group)!,
        name => name.Contains(parsed.GetValue(filter)!, StringComparison.Ordinal)).ToArray();
    Console.WriteLine(Tables.Ops(results));
    if (parsed.GetValue(json) is { } file) ResultFile.Save(file.FullName, new { machine = Machine.Current(device), results });
}));

var name = new Argument<string>("model") { Description = $"A component's folder, or one of {string.Join(", ", ModelFiles.Known.Keys)}" };
var int8 = new Option<bool>("--int8") { Description = "Linear layers in dynamic int8; with 'model': in addition to float32" };
var model = new Command("model", "A whole model against libtorch: compares outputs, then interleaved times; prints JSON") {
    name, pixels, rounds, int8 };
model.SetAction(parsed => Run(parsed.GetValue(threads), device =>
    Console.WriteLine(JsonSerializer.Serialize(
        ModelComparison.Measure(parsed.GetValue(name)!, parsed.GetValue(pixels), parsed.GetValue(rounds), device, parsed.GetValue(int8)),
            ResultFile.Json))));

var engine = new Argument<string>("engine") { Description = "ours or libtorch" };
engine.AcceptOnlyFromAmong("ours", "libtorch");
var memory = new Command("memory", "Peak memory of one engine and its time to the first step; prints JSON") { engine, name, pixels, int8 };
memory.SetAction(parsed => Run(parsed.GetValue(threads), device =>
    Console.WriteLine(JsonSerializer.Serialize(
        ModelComparison.Memory(parsed.GetValue(engine)!, parsed.GetValue(name)!, parsed.GetValue(pixels), device, parsed.GetValue(int8)),
            ResultFile.Json)), libtorch: parsed.GetValue(engine) == "libtorch"));

var family = new Argument<string>("family") { Description = "stable-diffusion-v1-5 or stable-diffusion-xl-base-1.0" };
var cpp = new Command("sdcpp", "Two UNet evaluations and one decoding in stable-diffusion.cpp; prints JSON") { family, pixels };
cpp.SetAction(parsed => Run(parsed.GetValue(threads), device =>
    Console.WriteLine(JsonSerializer.Serialize(
        new StableDiffusionCpp(Path.GetTempPath(), device.Threads).Run(parsed.GetValue(family)!, parsed.GetValue(pixels)),
            ResultFile.Json)), libtorch: false));

var check = new Command("check", "Checks that libtorch computes the same as this library: every model of the tests, and every op");
check.SetAction(parsed => Run(parsed.GetValue(threads), SameResults.Check));

var reduced = new Option<bool>("--reduced") { Description = "Few ops and small models: to try the programs" };
var many = new Option<int?>("--rounds") { Description =
    "Rounds of every measurement; five by default, or fewer where a round takes a minute" };
var only = new Option<string[]>("--only") { Description = "Only these rows", AllowMultipleArgumentsPerToken = true };
only.AcceptOnlyFromAmong([.. Targets.Rows.Select(r => r.Id)]);
var again = new Option<bool>("--again") { Description = "Measures existing rows again" };
var noisy = new Option<bool>("--noisy") { Description = "Measures noisy rows again" };
var to = new Option<string>("--to") { Description = "Folder for the table",
    DefaultValueFactory = _ => Path.Combine(Machine.Repository, "perf/results") };
var targets = new Command("targets",
    "The table of targets: measures the missing rows, each in its own process") { reduced, many, only, again, noisy,
        to };
targets.SetAction(parsed =>
{
    using var device = new CpuDevice(parsed.GetValue(threads));
    return new Targets(device, parsed.GetValue(reduced), parsed.GetValue(many)).Run(parsed.GetValue(only) ?? [], parsed.GetValue(again),
        parsed.GetValue(noisy), parsed.GetValue(to)!) ? 0 : 1;
});
var id = new Argument<string>("row") { Description = $"One of {string.Join(", ", Targets.Rows.Select(r => r.Id))}" };
var row = new Command("row", "One row of the table of targets") { id, reduced, many };
row.SetAction(parsed => Run(parsed.GetValue(threads),
    device => new Targets(device, parsed.GetValue(reduced), parsed.GetValue(many)).Measure(parsed.GetValue(id)!), libtorch: false));

return new RootCommand("Compares this library with other engines on the same work.") { ops, model, memory, cpp, check, targets, row,
    threads }.Parse(args).Invoke();

static void Run(int? threads, Action<CpuDevice> action, bool libtorch = true)
{
    using var device = new CpuDevice(threads);
    if (libtorch) LibTorch.Load(device.Threads);
    action(device);
}
