using System.CommandLine;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary><c>ilgd grid</c>: compares the values of one or two options of <c>generate</c> on one sheet.</summary>
internal static class GridCommand
{
    private const int MostCells = 256;

    private static readonly string[] Examples =
    [
        "ilgd grid \"a red heart\" --rows scheduler=euler,ddim,unipc --columns steps=4,8,16 --csv times.csv",
        "ilgd grid --rows \"prompt=a red heart;a tree, in snow\" --columns guidance-scale=1,3,7.5 --seed 1 -o grid.png",
    ];

    public static Command Create()
    {
        var options = new GenerateOptions();
        var (model, device) = (new ModelArguments(), new DeviceArguments());
        var compile = new CompileArguments();
        var rows = new Option<string>("--rows")
        {
            Description = "Option of generate, or prompt, and its values, one row each; semicolons between values with commas",
            HelpName = "NAME=A,B,…",
            Required = true,
        };
        var columns = new Option<string?>("--columns") { Description = "Another one, one column each", HelpName = "NAME=A,B,…" };
        var output = new Option<string?>("--output", "-o")
        { Description = "File to write, .png, .jpg or .webp; grid.png if left out", HelpName = "FILE.png" };
        var csv = new Option<string?>("--csv") { Description = "Writes one line per image, with its times", HelpName = "FILE.csv" };
        var types = new TypeArguments();
        var variant = new Option<string?>("--variant")
        { Description = "Weight files to take where the folder has several, such as fp16", HelpName = "NAME" };
        var command = new GroupedCommand("grid", "Compares settings: images for the values of one or two options, on one sheet", Examples);
        command.AddGroup("Grid", rows, columns, csv);
        options.AddTo(command, output);
        command.AddGroup("Model and device", [model.Model, .. model.Source, variant, .. device.All, .. types.All]);
        compile.AddTo(command);

        command.SetAction(async (parsed, cancellation) =>
        {
            GridAxis[] axes = [.. new[] { (rows.Name, parsed.GetValue(rows)), (columns.Name, parsed.GetValue(columns)) }
                .Where(axis => axis.Item2 is not null).Select(axis => GridAxis.Parse(axis.Name, axis.Item2!))];
            CheckAxes(parsed, axes, options);
            string sheetPath = parsed.GetValue(output) ?? "grid.png";
            if (OutputFile.IsStandardOutput(sheetPath))
                throw new ArgumentException($"--output is '{sheetPath}'; a grid needs a file.");
            OutputFile.RequireImage(sheetPath);
            OutputFile.RequireWritable(new[] { sheetPath, parsed.GetValue(csv) }.OfType<string>());

            string[] seed = [];
            if (axes.All(axis => axis.Name != "seed") && options.DrawsSeed(parsed, options.Origin(parsed)))
            {
                seed = [$"--seed={Random.Shared.NextInt64(uint.MaxValue)}"]; // one for all images, so that only the options differ
                Messages.Note($"seed {seed[0]["--seed=".Length..]}");
            }

            string[] columnValues = axes.Length > 1 ? [.. axes[1].Values] : [""];
            (string Row, string Column, ParseResult Words)[] cells =
                [.. axes[0].Values.SelectMany(row => columnValues.Select(column => (row, column, Parse(parsed, axes, seed, row, column))))];
            foreach (var cell in cells) options.Check(cell.Words, options.Origin(cell.Words), hasLatents: false);

            using var opened = device.Open(parsed);
            using var pipeline = DiffusionPipeline.FromPretrained(model.Path(parsed), types.Apply(parsed, new PipelineOptions
            {
                Device = opened,
                Variant = parsed.GetValue(variant),
                Compile = compile.Read(parsed),
                Source = model.SourceOf(parsed),
            }));
            if (compile.FusesQkv(parsed)) pipeline.FuseQkvProjections();
            Interrupts.Renew();

            var done = new List<GridCell>();
            ImageRequest? first = null;
            bool cancelled = false;
            foreach (var (row, column, words) in cells)
                try
                {
                    var origin = options.Origin(words);
                    string prompt = (await options.PromptsAsync(words, origin, cancellation).ConfigureAwait(false))[0];
                    var request = options.Request(words, prompt, pipeline, origin, latents: null, options.Images.Read(words));
                    first ??= request;
                    string title = $"{done.Count + 1}/{cells.Length} {Label(axes, row, column)}";
                    var result = await DrawingProgress.ShowAsync(OutsideText.Line(title, 200),
                        progress => pipeline.GenerateAsync(request, progress, cancellation)).ConfigureAwait(false);
                    foreach (string warning in result.Warnings) Messages.Warning($"{Label(axes, row, column)}: {warning}");
                    done.Add(new GridCell(row, column, result, null));
                }
                catch (OperationCanceledException) when (done.Any(cell => cell.Result is not null))
                {
                    cancelled = true;
                    break;
                }
                catch (Exception e) when (e is ArgumentException or ModelFileException or NonFiniteException or NotSupportedException)
                {
                    Messages.Error($"{OutsideText.Line(Label(axes, row, column), 200)}: {Plain(e)}");
                    done.Add(new GridCell(row, column, null, OutsideText.Line(Plain(e), 300)));
                }

            if (done.All(cell => cell.Result is null)) return ExitCodes.WrongUsage; // each has said why
            GridSheet.Draw(Title(axes, first!, pipeline), axes[0].Values, columnValues, done).Save(sheetPath);
            if (parsed.GetValue(csv) is { } table)
                OutputFile.WriteText(table, GridTable.Csv(axes[0], axes.ElementAtOrDefault(1), done));
            if (cancelled) Messages.Error($"cancelled after {done.Count} of {cells.Length} images; they are on the sheet.");
            (Console.IsOutputRedirected ? StandardStreams.RawOutput : Console.Out).WriteLine(sheetPath);
            return cancelled ? Interrupts.Code : done.Any(cell => cell.Result is null) ? ExitCodes.Failed : ExitCodes.Done;
        });
        return command;
    }

    /// <summary>A message without the parameter's name that .NET appends.</summary>
    private static string Plain(Exception e) => e.Message.Split(" (Parameter '")[0];

    private static string Label(GridAxis[] axes, string row, string column) =>
        string.Join(", ", axes.Zip([row, column], (axis, value) => $"{axis.Name} {value}"));

    /// <summary>What all images have in common: those of prompt, steps, seed and size that no axis varies, and the model.</summary>
    private static string Title(GridAxis[] axes, ImageRequest request, DiffusionPipeline pipeline)
    {
        var parts = new List<string>();
        Add("prompt", request.Prompts[0]);
        Add("steps", request.Steps is { } steps ? $"{steps} steps" : null);
        Add("seed", request.Seed is { } seed ? $"seed {seed}" : null);
        parts.Add(pipeline.Name);
        parts.Add(string.Join(" by ", axes.Select(axis => axis.Name)));
        return string.Join(", ", parts);

        void Add(string name, string? text)
        {
            if (text is not null && axes.All(axis => axis.Name != name)) parts.Add(text);
        }
    }

    /// <summary>The command line of one image: the grid's, with the axes' values.</summary>
    private static ParseResult Parse(ParseResult grid, GridAxis[] axes, string[] seed, string row, string column)
    {
        string[] words = [.. grid.Tokens.Select(token => token.Value), .. seed,
            .. axes.Zip([row, column], (axis, value) => axis.Words(value)).SelectMany(w => w)];
        var parsed = grid.RootCommandResult.Command.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
        return parsed.Errors.Count == 0 ? parsed
            : throw new ArgumentException(
                $"{Label(axes, row, column)}: {string.Join(" ", parsed.Errors.Select(e => e.Message).Distinct())}");
    }

    private static void CheckAxes(ParseResult parsed, GridAxis[] axes, GenerateOptions options)
    {
        if (axes.Length > 1 && axes[0].Name == axes[1].Name)
            throw new ArgumentException($"--rows and --columns both vary {axes[0].Name}; each needs an option of its own.");
        int cells = axes.Aggregate(1, (product, axis) => product * axis.Values.Count);
        if (cells > MostCells) throw new ArgumentException($"the grid has {cells} images; it must have at most {MostCells}.");
        if (options.HasPromptFile(parsed)) throw new ArgumentException("--prompts is given; vary them by --rows \"prompt=A;B\".");
        if (options.Refiner.Path(parsed) is not null) throw new ArgumentException("--refiner is given; a grid draws with one model.");
        if (options.ListsSchedulers(parsed)) throw new ArgumentException("--scheduler is list; ilgd generate --scheduler list shows them.");
        if (options.Count(parsed, options.Origin(parsed)) > 1)
            throw new ArgumentException("--count is above 1; a grid has one image for each value.");

        var varied = options.Varied.ToDictionary(option => option.Name[2..], StringComparer.Ordinal);
        foreach (var axis in axes)
        {
            if (axis.Name == "prompt")
            {
                if (options.HasPrompt(parsed))
                    throw new ArgumentException("a prompt is given, and the grid varies it; leave one of them out.");
                continue;
            }

            if (!varied.TryGetValue(axis.Name, out var option))
                throw new ArgumentException($"a grid cannot vary {OutsideText.Quote(axis.Name)}; it can vary prompt, "
                    + $"{string.Join(", ", varied.Keys.Order(StringComparer.Ordinal))}.");
            if (parsed.GetResult(option) is { Implicit: false })
                throw new ArgumentException($"{option.Name} is given, and the grid varies it; leave one of them out.");
        }
    }
}
