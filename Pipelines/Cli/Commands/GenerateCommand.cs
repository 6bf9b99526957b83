using System.CommandLine;
using System.Diagnostics;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli;

/// <summary><c>ilgd generate</c>: prompt in, picture out.</summary>
internal static class GenerateCommand
{
    private const double SlowSeconds = 60;

    private static readonly string[] Examples =
    [
        "ilgd generate \"a red heart\" -o heart.png",
        "ilgd generate \"a castle at dusk\" --model ~/sdxl --scheduler dpmpp_2m_karras --steps 20 --count 4 --seed 1",
    ];

    public static Command Create()
    {
        var options = new GenerateOptions();
        var compile = new CompileArguments();
        var output = new Option<string?>("--output", "-o") { Description = "File to write; several pictures are numbered. Default: named after prompt and seed", HelpName = "FILE.png" };
        var (model, device, threads, json) = (Options.Model(), Options.Device(), Options.Threads(), Options.Json("times and memory per stage"));
        var dtype = Options.Word("--dtype", "Type that the models compute in: auto (default), fp32, fp16 or bf16; on a CPU auto or fp32, whatever the weights are stored in", "TYPE", "auto", "fp32", "tf32", "fp16", "bf16");
        var quantize = Options.Word("--quantize", "Linear layers of the denoiser in int8: faster, half the memory of 16-bit weights, slightly other pictures; none (default) or int8", "TYPE", "none", "int8");
        var variant = new Option<string?>("--variant") { Description = "Weight files to take where the folder has several, such as fp16", HelpName = "NAME" };
        var latents = new Option<string?>("--latents") { Description = "Start noise instead of drawn noise (tensor 'latents')", HelpName = "F.safetensors" };
        var vaeTiling = new Option<bool>("--vae-tiling") { Description = "Decodes in tiles, which takes less memory" };
        var offload = new Option<bool>("--offload") { Description = "Text encoders, denoiser and autoencoder take turns in the GPU's memory, which needs less of it" };
        var saveLatents = new Option<string?>("--save-latents") { Description = "Writes the final latents (tensor 'latents')", HelpName = "F.safetensors" };
        var saveIntermediates = new Option<string?>("--save-intermediates") { Description = "Writes the latents after every step (tensors step_000 …)", HelpName = "F.safetensors" };
        var command = new GroupedCommand("generate", "Draws a picture", Examples);
        options.AddTo(command, output);
        command.AddGroup("Model and device", model, variant, device, dtype, quantize, threads, vaeTiling, offload);
        compile.AddTo(command);
        command.AddGroup("Latents (NCHW float32, as diffusers has them) and reports", latents, saveLatents, saveIntermediates, json);
        command.SetAction(async (parsed, cancellation) =>
        {
            string? outputPath = parsed.GetValue(output);
            OutputFile.RequirePng(outputPath);
            string?[] targets = [outputPath, parsed.GetValue(saveLatents), parsed.GetValue(saveIntermediates)];
            OutputFile.RequireWritable(targets.OfType<string>());
            var compileOptions = compile.Read(parsed);

            var clock = Stopwatch.StartNew();
            using var opened = DeviceCatalog.Open(parsed.GetValue(device) ?? "auto", parsed.GetValue(threads));
            var type = ComputeType(parsed.GetValue(dtype) ?? "auto", opened);
            var start = LatentsFile.Read(parsed.GetValue(latents));
            string folder = parsed.GetValue(model) ?? EmbeddedModel.Folder;
            using var pipeline = DiffusionPipeline.FromPretrained(folder, new PipelineOptions
            {
                Device = opened,
                DType = type,
                Variant = parsed.GetValue(variant),
                Offload = parsed.GetValue(offload),
                Quantize = parsed.GetValue(quantize) == "int8" ? Quantization.Int8 : Quantization.None,
                Compile = compileOptions,
            });
            if (compile.FusesQkv(parsed)) pipeline.FuseQkvProjections();
            if (parsed.GetValue(vaeTiling)) pipeline.Vae.EnableTiling();
            double loadSeconds = clock.Elapsed.TotalSeconds;
            var request = options.Request(parsed, pipeline, start, parsed.GetValue(saveIntermediates) is not null);

            GenerationResult result;
            using (var progress = new ConsoleProgress($"{pipeline.Name} on {opened}"))
                result = await pipeline.GenerateAsync(request, progress, cancellation).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            if (!parsed.GetValue(json)) Preview.Show(result.Images);
            if (options.DrawsSeed(parsed)) await Console.Error.WriteLineAsync($"seed {result.Seed}").ConfigureAwait(false);
            foreach (string warning in result.Warnings) await Console.Error.WriteLineAsync($"warning: {warning}").ConfigureAwait(false);

            string[] files = [.. result.Images.Select((image, i) => options.FileName(parsed, outputPath, result.Seed, i, result.Images.Count))];
            for (int i = 0; i < files.Length; i++) PictureFile.Write(files[i], result, i, options.Prompts(parsed), pipeline.Name);
            LatentsFile.Write(parsed.GetValue(saveLatents), result.Latents);
            LatentsFile.WriteSteps(parsed.GetValue(saveIntermediates), result.Intermediates);

            if (parsed.GetValue(json)) Console.WriteLine(GenerateReport.Json(result, files, pipeline, loadSeconds));
            else foreach (string file in files) Console.WriteLine(file);
            if (parsed.GetValue(model) is null && !Console.IsErrorRedirected) await Console.Error.WriteLineAsync(SmallModelHint).ConfigureAwait(false);
            if (clock.Elapsed.TotalSeconds > SlowSeconds) await Console.Error.WriteLineAsync(Hint(result)).ConfigureAwait(false);
            return ExitCodes.Done;
        });
        return command;
    }

    private const string SmallModelHint = "hint: this is the small model that ships with the tool. --model FOLDER draws with any SDXL, SD 1.x or SD 2.x model in diffusers' format.";

    private static DType? ComputeType(string word, Device device)
    {
        DType? dtype = word switch { "fp32" => DType.Float32, "fp16" => DType.Float16, "bf16" => DType.BFloat16, _ => null };
        if (word == "auto" || (dtype is { } asked && device.Computes(asked))) return dtype;
        string refusal = device.Backend == Backends.Cpu ? $"a CPU computes in fp32, not '{word}'" : $"{device.Id} does not compute in '{word}'";
        throw new ArgumentException($"--dtype: {refusal}. Weights stored as bf16 or fp16 are used as they are; leave --dtype out.");
    }

    private static string Hint(GenerationResult result) =>
        $"hint: {Quantity.Time(result.Stages.Sum(s => s.Seconds))} for {result.Settings.Steps} steps of {result.Settings.Size}. Fewer --steps with --scheduler dpmpp_2m_karras (about 20 are enough), or a smaller --width and --height, take less.";
}
