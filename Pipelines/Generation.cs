using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;
using ILGpuDiffusion.Pipelines.Tasks;

namespace ILGpuDiffusion.Pipelines;

/// <summary>One request from prompts to images. Embeddings and latents stay on the device; pixels are read back, once per image.</summary>
internal sealed class Generation(DiffusionPipeline pipeline, ArenaPool arenas, DenoisingContexts contexts, ResolvedRequest form,
    IProgress<GenerationProgress>? progress, Func<NoiseSource>? recordedNoise, StepPreviews? previews, CancellationToken cancellation)
{
    private readonly Device device = arenas.Device;
    private readonly DiffusionModel model = pipeline.Model;
    private readonly ImageRequest request = form.Request;
    private readonly TileGrid? tiles = pipeline.Vae.Grid(form.Request.VaeTiling);
    private readonly List<string> warnings = [];
    private readonly PredictionOptions options =
        new(form.Guided, form.Guided && form.Request.GuidanceRescale > 0, form.Request.FreeU);

    private readonly Seed[] seeds =
        ImageNoise.Seeds(form.Request, form.Request.Seed ?? Random.Shared.NextInt64(uint.MaxValue), form.Images);

    /// <summary>Serves the request.</summary>
    public GenerationResult Run()
    {
        var (schedule, begin, end) = form.Schedule;
        if (request.Embeddings is null && request.Prompts.Any(string.IsNullOrWhiteSpace))
            warnings.Add("The prompt is empty: the model generates an image without a description.");
        var reports = new List<StageReport>();
        var clock = new StageClock(device, reports);
        using var scope = new DeviceScope(device);

        PrepareKernels();

        // 1. Encode the prompts
        progress?.Report(new(GenerationStage.EncodePrompt, 0, 1));
        var conditioning = RequestConditioning.Of(model, form, new EncodeContext(scope, warnings, cancellation));
        clock.Finish(GenerationStage.EncodePrompt);
        progress?.Report(new(GenerationStage.EncodePrompt, 1, 1));

        // 2. Prepare latents and loop
        var intermediates = new List<Latents>();
        Latents? kept = null;
        Tensor latents;
        int done = 0;
        clock.Restart();
        var images = request.InitImage is null ? null : new TaskImages(request, form.Size, model.Limits.InpaintingOnly);
        using (var run = Prepare(conditioning, images, scope))
        {
            // 3. Denoise
            double compileSeconds = clock.Seconds;
            clock.Restart();
            var hook = request.OnStepEnd is null ? null : new RunStepEnd(run, form);
            for (int i = begin; i < end && hook is not { Stopped: true }; i++, done++)
            {
                run.Step(i, cancellation);
                if (run.BadValue is { } bad) throw NotFiniteAt(i, bad);
                if (request.KeepIntermediates) intermediates.Add(run.ReadLatents());
                previews?.Draw(i - begin, end - begin - 1, model, run.Preview, device, tiles, Warn, cancellation);
                hook?.Call(i);
                progress?.Report(new(GenerationStage.Denoise, i - begin + 1, end - begin));
            }

            clock.Finish(GenerationStage.Denoise, run.Model, compileSeconds);
            if (request.KeepLatents || !request.Decode) kept = run.ReadLatents();
            latents = run.CopyLatents(scope, cancellation);
        }

        if (kept is not null && NotFinite.IndexIn(kept.Values) >= 0) throw FirstNotFinite(conditioning, images);

        // 4. Decode
        var decoded = request.Decode ? Decode(latents, conditioning, images, clock) : [];
        warnings.AddRange(pipeline.NewNotes());
        return new GenerationResult
        {
            Images = [.. decoded.Select((image, i) => ImageMetadata.Attach(image, pipeline, form, seeds, i, done))],
            Latents = kept,
            Intermediates = intermediates,
            Seeds = seeds,
            Warnings = warnings,
            Stages = reports,
            Settings = new GenerationSettings(form.Size, form.Steps, form.GuidanceScale, schedule.SchedulerName, done),
        };
    }

    // On a GPU that has not run these models, compiling takes long: it begins with the last stages while the prompts are encoded.
    private void PrepareKernels()
    {
        if (!device.CompilesKernels) return;
        model.PrepareStep(options, form.Images, form.LatentHeight, form.LatentWidth, arenas, cancellation);
        if (request.Decode) model.Vae.PrepareDecoder((form.LatentHeight, form.LatentWidth), tiles, cancellation);
    }

    private DenoisingRun Prepare(Dictionary<string, IReadOnlyList<Tensor>> conditioning, TaskImages? images, DeviceScope scope)
    {
        var schedule = form.Schedule.Schedule;
        var noise = recordedNoise?.Invoke() ?? ImageNoise.Source(request, seeds);
        var layout = model.Limits.Latents;
        var task = DenoisingTask.Of(new TaskContext(request, images, model.Vae, tiles, schedule,
            [form.Images, form.LatentHeight, form.LatentWidth, layout.Channels], noise, scope, Warn, cancellation));
        var inputs = new Dictionary<string, IReadOnlyList<Tensor>>(conditioning);
        foreach (var (name, tensor) in task.Inputs) inputs[name] = [tensor];
        var step = model.CreateStep(options,
            new StepSetup(inputs, form.GuidanceScale, request.GuidanceRescale, form.Images, form.LatentHeight, form.LatentWidth), arenas,
            cancellation);
        DenoisingRun? run = null;
        try
        {
            run = new DenoisingRun(step, contexts.Rent(), schedule, noise, previews is not null, cancellation);
            task.Begin(run);
            return run;
        }
        catch
        {
            ((IDisposable?)run ?? step).Dispose(); // the run owns the step once it exists
            throw;
        }
    }

    private Image[] Decode(Tensor latents, Dictionary<string, IReadOnlyList<Tensor>> conditioning, TaskImages? images, StageClock clock)
    {
        clock.Restart();
        var decoded = new Image[form.Images];
        for (int i = 0; i < decoded.Length; i++) // one image at a time, since decoding determines peak memory
        {
            try
            {
                var image = model.Vae.DecodeImage(latents.Slice(i, 1), tiles, Warn, cancellation);
                decoded[i] = images is null ? image : images.Restore(image);
            }
            catch (NonFiniteException) when (!device.ReadsHostMemory && NotFinite.IndexIn(Read(latents)) >= 0)
            {
                throw FirstNotFinite(conditioning, images);
            }

            progress?.Report(new(GenerationStage.Decode, i + 1, decoded.Length));
        }

        clock.Finish(GenerationStage.Decode);
        return decoded;
    }

    // On a GPU the loop does not wait for values. After a run with non-finite latents it is repeated step by step to find the first such
    // step.
    private NonFiniteException FirstNotFinite(Dictionary<string, IReadOnlyList<Tensor>> conditioning, TaskImages? images)
    {
        foreach (var (name, entries) in conditioning)
            foreach (float[] values in entries.Distinct().Select(Read))
                if (NotFinite.IndexIn(values) is >= 0 and var at)
                    return NotFinite.Error("text_encoder", pipeline.TextEncoderDType ?? pipeline.DType, values[at],
                        $"in the prompt's embeddings ({name})");

        var (_, begin, end) = form.Schedule;
        using var scope = new DeviceScope(device);
        using var run = Prepare(conditioning, images, scope);
        for (int i = begin; i < end; i++)
        {
            run.Step(i, cancellation);
            float[] values = run.ReadLatents().Values;
            if (NotFinite.IndexIn(values) is >= 0 and var bad) return NotFiniteAt(i, values[bad]);
        }

        return new NonFiniteException(model.DenoiserName, null,
            "The latents held NaN or infinity after the last step, but were finite when the run was repeated: the device's results are not "
                + "reproducible.");
    }

    private NonFiniteException NotFiniteAt(int index, float value)
    {
        var (schedule, begin, end) = form.Schedule;
        int step = index - begin;
        return NotFinite.Error(model.DenoiserName, pipeline.DType, value,
            $"in the latents after step {step + 1} of {end - begin} (timestep {schedule.Timesteps[index]:R})", step);
    }

    private void Warn(string warning)
    {
        if (!warnings.Contains(warning)) warnings.Add(warning); // once for all images of a request
    }

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Shape.Count];
        device.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
