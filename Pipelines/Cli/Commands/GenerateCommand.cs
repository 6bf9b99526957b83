using System.CommandLine;
using System.Diagnostics;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary><c>ilgd generate</c>: generates images from prompts.</summary>
internal static class GenerateCommand
{
    private const double SlowSeconds = 60;

    private static readonly string[] Examples =
    [
        "ilgd generate \"a red heart\" -o heart.png",
        "ilgd generate \"a castle at dusk\" --model ~/sdxl --scheduler dpmpp_2m_karras --steps 20 --count 4 --seed 1",
        "ilgd generate \"a castle in snow\" --model ~/sdxl.safetensors --init-image castle.jpg --strength 0.6 -o snow.webp",
        "ilgd generate \"a castle\" --model ~/sdxl --refiner ~/sdxl-refiner",
    ];

    public static Command Create()
    {
        var options = new GenerateOptions();
        var (compile, attention) = (new CompileArguments(), new AttentionArguments());
        var output = new Option<string?>("--output", "-o")
        {
            Description = "File to write, .png, .jpg or .webp, - for PNG on stdout; several images are numbered. "
                + "Default: named after prompt and seed",
            HelpName = "FILE.png"
        };
        var (model, device, json) = (new ModelArguments(), new DeviceArguments(), Options.Json("times and memory per stage"));
        var (types, quantize) = (new TypeArguments(), new QuantizeArguments());
        var variant = new Option<string?>("--variant")
        {
            Description = "Weight files to take where the folder has several, such as fp16",
            HelpName = "NAME"
        };
        var latents = new Option<string?>("--latents")
        {
            Description = "Start noise instead of random noise (tensor 'latents')",
            HelpName = "F.safetensors"
        };
        var vaeTiling = new Option<bool>("--vae-tiling") { Description = "Decodes in tiles, which takes less memory" };
        var offload = new Option<bool>("--offload")
        {
            Description =
            "Keeps one of the models at a time in the GPU's memory, which needs less of it"
        };
        var pack = PackArguments.Files();
        var saveLatents = new Option<string?>("--save-latents")
        {
            Description = "Writes the final latents (tensor 'latents')",
            HelpName = "F.safetensors"
        };
        var saveIntermediates = new Option<string?>("--save-intermediates")
        {
            Description =
            "Writes the latents after every step (tensors step_000 …)",
            HelpName = "F.safetensors"
        };
        var previewEvery = Options.Positive("--preview", "Shows a rough image on the terminal every N steps");
        var preview = Options.Word("--preview-protocol",
            $"How the terminal shows images; by default {Preview.Variable}, else detected", "NAME", [.. Preview.Words]);
        var command = new GroupedCommand("generate", "Generates an image", Examples);
        options.AddTo(command, output);
        command.AddGroup("Model and device", [model.Model, .. model.Source, variant, .. device.All, .. types.All, .. quantize.All,
            .. attention.All, vaeTiling, offload, pack]);
        compile.AddTo(command);
        command.AddGroup("Latents (NCHW float32, as in diffusers) and reports", latents, saveLatents, saveIntermediates, previewEvery,
            preview, json);
        command.SetAction(async (parsed, cancellation) =>
        {
            if (options.ListsSchedulers(parsed))
            {
                SchedulerTable.Print();
                return ExitCodes.Done;
            }

            string? outputPath = parsed.GetValue(output);
            OutputFile.RequireImage(outputPath);
            bool toOutput = OutputFile.IsStandardOutput(outputPath), asJson = parsed.GetValue(json);
            if (toOutput && asJson)
                throw new ArgumentException($"--output is '{outputPath}' and --json is given; stdout takes one of them.");
            if (toOutput && !Console.IsOutputRedirected)
                throw new ArgumentException($"--output is '{outputPath}', but stdout is a terminal, which shows no PNG. Redirect it, or " +
                    "name a file.");
            if (outputPath is null) OutputFile.RequireFolder();
            string?[] targets = [outputPath, parsed.GetValue(saveLatents), parsed.GetValue(saveIntermediates)];
            OutputFile.RequireWritable(targets.OfType<string>());
            var compileOptions = compile.Read(parsed);
            var attentionOptions = attention.Read(parsed);
            var origin = options.Origin(parsed);
            options.Check(parsed, origin, parsed.GetValue(latents) is not null);
            var prompts = await options.PromptsAsync(parsed, origin, cancellation).ConfigureAwait(false);
            int images = prompts.Count * options.Count(parsed, origin);
            if (toOutput && images > 1)
                throw new ArgumentException($"--output is '{outputPath}', which takes one image, but {images} are requested. Name a " +
                    "file: its name is numbered.");
            if (outputPath is not null && images > 1)
                OutputFile.RequireWritable(Enumerable.Range(0, images).Select(i => GenerateOptions.Numbered(outputPath, i, images)!));
            if (prompts.Count > 1 && targets[1..].OfType<string>().FirstOrDefault() is { } one)
                throw new ArgumentException($"{OutsideText.Quote(one)} takes the latents of one prompt, but --prompts has " +
                    $"{prompts.Count}.");

            var clock = Stopwatch.StartNew();
            using var opened = device.Open(parsed);
            if (parsed.GetValue(offload) && opened.Backend == Backends.Cpu)
                Messages.Warning("--offload has no effect on a CPU, whose memory holds all models from the start.");
            var start = LatentsFile.Read(parsed.GetValue(latents));
            var given = options.Images.Read(parsed);
            var (path, source) = (model.Path(parsed), model.SourceOf(parsed));
            var loading = types.Apply(parsed, quantize.Read(parsed, new PipelineOptions
            {
                Device = opened,
                Variant = parsed.GetValue(variant) ?? ImageOrigin.VariantOf(origin, path, source),
                Offload = parsed.GetValue(offload),
                Compile = compileOptions,
                Attention = attentionOptions,
                Source = source,
                Pack = parsed.GetValue(pack) ?? [],
            }, origin), origin);
            using var pipeline = DiffusionPipeline.FromPretrained(path, loading);
            using var refiner = options.Refiner.Load(parsed, loading);
            if (compile.FusesQkv(parsed))
            {
                pipeline.FuseQkvProjections();
                refiner?.FuseQkvProjections();
            }

            if (origin is not null) ImageOrigin.SayDifferences(options.OriginFile(parsed), origin, pipeline);
            Interrupts.Renew();
            double loadSeconds = clock.Elapsed.TotalSeconds;

            ImageRequest[] requests = [.. prompts.Select(prompt => options.Request(parsed, prompt, pipeline, origin, start, given) with
            {
                KeepIntermediates = parsed.GetValue(saveIntermediates) is not null,
                KeepLatents = parsed.GetValue(saveLatents) is not null,
            })];
            if (parsed.GetValue(vaeTiling)) requests = [.. requests.Select(request => request with { VaeTiling = new VaeTiling() })];
            bool previews = parsed.GetValue(previewEvery) is not null && Preview.IsShown(parsed.GetValue(preview));
            if (parsed.GetValue(previewEvery) is not null && !previews)
                Messages.Warning("--preview has no effect: it needs stdout and stderr to be a terminal that shows colours or images.");
            var drawing = new Drawing(pipeline, refiner, previews ? parsed.GetValue(previewEvery) : null,
                images => Preview.Show(images, parsed.GetValue(preview)));
            var reports = new List<object>();
            var (place, drawn) = (0, 0);
            try
            {
                await foreach (var result in drawing.RunAsync(requests, cancellation).ConfigureAwait(false))
                {
                    if (!asJson && !Messages.Quiet) Preview.Show(result.Images, parsed.GetValue(preview));
                    if (options.DrawsSeed(parsed, origin)) Messages.Note($"seed {result.Seed}");
                    foreach (string warning in result.Warnings) Messages.Warning(TypeArguments.Explain(warning));

                    string[] files = [.. result.Images.Select((image, i) =>
                        ImageFile.Write(GenerateOptions.Numbered(outputPath, drawn + i, images), image, prompts[place], result.Seeds[i]))];
                    LatentsFile.Write(parsed.GetValue(saveLatents), result.Latents);
                    LatentsFile.WriteSteps(parsed.GetValue(saveIntermediates), result.Intermediates);
                    drawn += files.Length;
                    place++;

                    if (asJson) reports.Add(GenerateReport.Of(result, files, drawing.Models, drawing.Last, loadSeconds));
                    else if (!toOutput) SayNames(files);
                    if (clock.Elapsed.TotalSeconds > SlowSeconds && place == prompts.Count) Messages.Note(Hint(result));
                }
            }
            catch (OperationCanceledException) when (drawn > 0)
            {
                Messages.Error($"cancelled after {place} of {prompts.Count} prompts; their images are kept.");
                return Interrupts.Code;
            }

            if (asJson) JsonOutput.Print(options.HasPromptFile(parsed) ? reports : reports[0]);
            if (model.IsEmbedded(parsed) && !Console.IsErrorRedirected) Messages.Note(SmallModelHint);
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>Prints the images' file names. The images are written by then, so a closed stdout is no failure.</summary>
    private static void SayNames(string[] files)
    {
        try
        {
            foreach (string file in files) (Console.IsOutputRedirected ? StandardStreams.RawOutput : Console.Out).WriteLine(file);
        }
        catch (IOException e)
        {
            Messages.Warning($"{e.Message} Written: {string.Join(", ", files)}");
        }
    }

    private const string SmallModelHint =
        "hint: this is the small model that ships with the tool. "
        + "--model uses any SDXL, SD 1.x or SD 2.x model: a folder in diffusers' format, or a safetensors file.";

    private static string Hint(GenerationResult result) =>
        $"hint: {Quantity.Time(result.Stages.Sum(s => s.Seconds))} for {result.Settings.Steps} steps of {result.Settings.Size}. Fewer "
            + "--steps with --scheduler dpmpp_2m_karras (about 20 are enough), or a smaller --width and --height, take less.";
}
