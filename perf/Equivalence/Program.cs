using System.CommandLine;
using ILGpuDiffusion.Equivalence;

var old = new Argument<DirectoryInfo>("old") { Description = "The folder to compare with" };
var @new = new Argument<DirectoryInfo>("new") { Description = "The folder to compare" };
var texts = new Command("texts", "Compares kernel texts, launches and op results that perf/run.sh texts wrote") { old, @new };
texts.SetAction(parsed => TextComparison.Run(parsed.GetValue(old)!.FullName, parsed.GetValue(@new)!.FullName));

var folder = new Argument<DirectoryInfo>("folder") { Description = "A folder of texts" };
var check = new Command("check-texts", "Plants mistakes in texts and fails unless the comparison finds each") { folder };
check.SetAction(parsed => PlantedMistakes.Check(parsed.GetValue(folder)!.FullName));

var only = new Option<string>("--only") { Description = "Only runs whose name contains this", DefaultValueFactory = _ => "" };
var seed = new Option<int?>("--check-seed") { Description = "Another seed for the new build only: the comparison must then fail" };
var bits = new Command("bits", "Generates the same images with two built checkouts and compares every byte") { old, @new, only, seed };
bits.SetAction(parsed => new BitComparison(parsed.GetValue(old)!.FullName, parsed.GetValue(@new)!.FullName,
    parsed.GetValue(seed)).Run(parsed.GetValue(only)!));

return new RootCommand("Checks that two builds compute the same, whatever their types are named.") {
    texts, check, bits }.Parse(args).Invoke();
