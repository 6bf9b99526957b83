using System.CommandLine;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Compute.Perf;

var op = new Argument<string>("op") { Description = "The op's name, such as Conv2D" };
var filter = new Option<string>("--filter") { Description = "Only cases whose name contains this", DefaultValueFactory = _ => "" };
var tests = new Option<bool>("--test-cases") { Description = "The cases of the tests in place of the models' sizes" };
var shapes = new Option<string[]>("--shape") { Description = "For Conv2D, in place of the models' sizes: IN-OUT@HEIGHTxWIDTH, repeatable", AllowMultipleArgumentsPerToken = true };
var variants = new Option<string[]>("--variant") { Description = "Only these variants; all that suit the case when absent", AllowMultipleArgumentsPerToken = true };
var rounds = new Option<int>("--rounds") { Description = "Timings per variant", DefaultValueFactory = _ => 7 };
var threads = new Option<int?>("--threads") { Description = "Worker threads" };
var weights = new Option<DType>("--weights") { Description = "How weights are stored", DefaultValueFactory = _ => DType.BFloat16 };
var json = new Option<FileInfo?>("--json") { Description = "File for the results as JSON" };
var root = new RootCommand("Times an op's variants against each other, interleaved in one process.") { op, filter, tests, shapes, variants, rounds, threads, weights, json };
root.SetAction(parsed =>
{
    string name = parsed.GetValue(op)!;
    var type = OpCatalog.Ops.FirstOrDefault(t => t.Name == name);
    if (type is null) throw new ArgumentException($"op is {name}; it must be one of {string.Join(", ", OpCatalog.Ops.Select(t => t.Name))}.");
    string[] sizes = parsed.GetValue(shapes) ?? [];
    var cases = parsed.GetValue(tests) ? OpCatalog.Cases.Where(c => c.Op == type).SelectMany(c => c.Cases)
        : sizes.Length > 0 ? sizes.Select(s => ModelCases.Convolution(s, parsed.GetValue(weights)))
        : ModelCases.Of(name, parsed.GetValue(weights));
    using var device = new CpuDevice(parsed.GetValue(threads));
    var comparison = new VariantComparison(device, parsed.GetValue(rounds), parsed.GetValue(variants) ?? []);
    Results.Print(device, [.. cases.Where(c => c.Name.Contains(parsed.GetValue(filter)!, StringComparison.Ordinal)).SelectMany(comparison.Measure)], parsed.GetValue(json));
});
return root.Parse(args).Invoke();
