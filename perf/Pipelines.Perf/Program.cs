using System.CommandLine;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Measuring;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Perf;

var config = new Argument<string>("config")
{
    Description =
    "config.json of a UNet, an autoencoder or a text encoder, such as "
        + "tests/Golden/real-configs/stable-diffusion-xl-base-1.0/unet/config.json"
};
var target = new Argument<string>("folder") { Description = "Folder to write config.json and weights to" };
var checkpoint = new Command("checkpoint", "Writes a model with random bfloat16 weights") { config, target };
checkpoint.SetAction(parsed =>
    Console.WriteLine($"{ModelFiles.Write(parsed.GetValue(config)!, parsed.GetValue(target)!)} values in {parsed.GetValue(target)}"));

var published = new Argument<string>("model") { Description = "stable-diffusion-xl-base-1.0 or stable-diffusion-v1-5" };
var pipeline = new Command("pipeline", "Writes a whole pipeline's folder with random weights, if it is not there; prints its path")
    { published };
pipeline.SetAction(parsed => Console.WriteLine(ModelFiles.Pipeline(parsed.GetValue(published)!)));

var component = new Argument<string>("model")
{
    Description =
    $"A folder with config.json and weights, or one of {string.Join(", ", ModelFiles.Known.Keys)}, which get random weights on first use"
};
var pixels = new Option<int>("--pixels") { Description = "Height and width of the image", DefaultValueFactory = _ => 512 };
var batch = new Option<int>("--batch") { Description = "Images", DefaultValueFactory = _ => 1 };
var runs = new Option<int>("--runs") { Description = "Forward passes", DefaultValueFactory = _ => 3 };
var threads = new Option<int?>("--threads") { Description = "Worker threads" };
var compare = new Option<bool>("--compare-eager") { Description = "Compares with a plan without graph passes, interleaved" };
var int8 = new Option<bool>("--int8") { Description = "Linear layers in dynamic int8" };
var where = new Option<string>("--device") { Description = "cpu, cuda:0, opencl:0 …", DefaultValueFactory = _ => "cpu" };
var dtype = new Option<DType>("--dtype") { Description = "Type that the model computes in", DefaultValueFactory = _ => DType.Float32 };
var step = new Command("model",
    "Measures time and memory of forward passes of a UNet, an autoencoder's decoder or a text encoder; prints JSON") { component, pixels,
        batch, runs, where, dtype, threads, compare, int8 };
step.Aliases.Add("unet-step");
step.SetAction(parsed => Console.WriteLine(
    ModelStep.Run(parsed.GetValue(component)!, parsed.GetValue(pixels), parsed.GetValue(batch), parsed.GetValue(runs),
        parsed.GetValue(where)!, parsed.GetValue(dtype), parsed.GetValue(threads), parsed.GetValue(compare), parsed.GetValue(int8))));

var waiting = new Command("on-request",
    "Reads numbers of runs from stdin, and answers each with seconds and processor seconds of a run; used by builds") { component,
        pixels, batch, where, dtype, threads, int8 };
waiting.SetAction(parsed =>
    ModelOnRequest.Run(parsed.GetValue(component)!, parsed.GetValue(pixels), parsed.GetValue(batch), parsed.GetValue(where)!,
        parsed.GetValue(dtype), parsed.GetValue(threads), parsed.GetValue(int8)));

var before = new Argument<DirectoryInfo>("old") { Description = "A checkout, built with -c Release" };
var after = new Argument<DirectoryInfo>("new") { Description = "Another" };
var models = new Option<string[]>("--models")
{
    Description = "Models to run",
    AllowMultipleArgumentsPerToken = true,
    DefaultValueFactory = _ => ["sdxl-unet", "small-unet"]
};
var side = new Option<int>("--pixels") { Description = "Height and width of the image", DefaultValueFactory = _ => 256 };
var turns = new Option<int>("--rounds") { Description = "Timings of each build in each pair of processes", DefaultValueFactory = _ => 10 };
var pairs = new Option<int>("--processes") { Description = "Pairs of processes", DefaultValueFactory = _ => 2 };
var builds = new Command("builds",
    "Compares two builds on the same models, interleaved, each in its own processes; prints Markdown") { before, after, models, side, turns,
        pairs, where, dtype, int8 };
builds.SetAction(parsed => Console.WriteLine(new BuildComparison(parsed.GetValue(before)!.FullName, parsed.GetValue(after)!.FullName,
    ["--pixels", $"{parsed.GetValue(side)}", "--device", parsed.GetValue(where)!, "--dtype", $"{parsed.GetValue(dtype)}",
        .. Enumerable.Repeat("--int8", parsed.GetValue(int8) ? 1 : 0)], parsed.GetValue(turns),
            parsed.GetValue(pairs)).Run(parsed.GetValue(models)!)));

var part = new Argument<string>("folder") { Description = "Folder of a UNet or, if it is named vae, of an autoencoder" };
var without = new Option<string[]>("--without")
{
    Description = "Passes to leave out, one at a time; by default each of them",
    AllowMultipleArgumentsPerToken = true,
    DefaultValueFactory = _ => []
};
var passes = new Command("passes", "Compares plans with all graph passes, none, and each one left out; prints a table") { part,
    pixels, runs, threads, without };
passes.SetAction(parsed =>
    Console.WriteLine(PassComparison.Run(parsed.GetValue(part)!, parsed.GetValue(pixels), parsed.GetValue(runs), parsed.GetValue(threads),
        parsed.GetValue(without)!)));

var model = new Option<string>("--model")
{
    Description = "Model folder; by default the small model that ships with the tool",
    DefaultValueFactory = _ => EmbeddedModel.Folder
};
var prompts = new Argument<string>("prompts") { Description = "Text file, one prompt a line" };
var sheetFile = new Argument<string>("file") { Description = "PNG to write" };
var sheet = new Command("contact-sheet", "Draws a list of prompts onto one image, prompt i with seed i") { prompts, sheetFile, model };
sheet.SetAction(async (parsed, _) =>
{
    int count = await ContactSheet.Write(parsed.GetValue(model)!, parsed.GetValue(prompts)!, parsed.GetValue(sheetFile)!)
        .ConfigureAwait(false);
    Console.WriteLine($"{count} prompts");
});

var rounds = new Option<int>("--runs") { Description = "Rounds after the first", DefaultValueFactory = _ => 15 };
var only = new Option<string?>("--only")
{
    Description =
    "Only one way, in a fresh process: no pass, full, blocks or regions"
};
var compile = new Command("compile", "Times recording, passes and plans of a UNet without weights; prints Markdown") { config, rounds,
    only };
compile.SetAction(parsed => Console.WriteLine(CompileTimes.Run(parsed.GetValue(config)!, parsed.GetValue(rounds), parsed.GetValue(only))));

var tables = new Argument<string[]>("tables")
{
    Description = "Files written by ilgd tune --same-bits, each from an empty cache folder",
    Arity = ArgumentArity.OneOrMore
};
var shipped = new Option<string>("--to")
{
    Description = "File to write, such as Compute/Kernels/Tuning/Tables/cpu-simd512.json",
    Required = true
};
var table = new Command("tuning-table", "Writes the shipped tuning table: the settings common to all given tables") { tables, shipped };
table.SetAction(parsed => Console.WriteLine(ShippedTable.Write(parsed.GetValue(tables)!, parsed.GetValue(shipped)!)));

var picture = new Argument<string>("file") { Description = "An image file, such as Pipelines/Embedded/contact-sheet.png" };
var png = new Command("png", "Times filters and levels of the PNG encoder; prints Markdown") { picture, runs };
png.SetAction(parsed => Console.WriteLine(PngSettings.Run(parsed.GetValue(picture)!, parsed.GetValue(runs))));

var measured = new Argument<string>("results") { Description = "Results of perf/run.sh targets, JSON" };
var chart = new Command("speed-chart", "Draws the README's chart of whole models beside their peers; prints SVG") { measured };
chart.SetAction(parsed => Console.Write(SpeedChart.Draw(parsed.GetValue(measured)!)));

var recording = new Argument<string>("recording") { Description = "What script -q recorded of a terminal" };
var terminal = new Command("terminal", "Draws the end of a terminal recording; prints SVG") { recording };
terminal.SetAction(parsed => Console.Write(TerminalCapture.Draw(parsed.GetValue(recording)!)));

return new RootCommand("Measurements of whole models.") { checkpoint, pipeline, step, waiting, builds, passes, sheet, compile, table, png,
    chart, terminal }
    .Parse(args).Invoke();
