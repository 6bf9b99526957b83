using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>A family that an application brings along: one convolution over latents, and a colour per prompt as its conditioning.</summary>
internal sealed class ToyFamily : ModelFamily
{
    public const string PlainClass = "ToyPipeline", MemoryClass = "ToyMemoryPipeline";

    private static readonly Lazy<bool> registered = new(() =>
    {
        FamilyCatalog.Register(new ToyFamily());
        return true;
    });

    public override string Name => "Toy";

    public override IReadOnlyList<string> PipelineClasses => [PlainClass, MemoryClass];

    public static void Register() => _ = registered.Value;

    public override DiffusionModel Load(ComponentLoader components) =>
        components.Source.ClassName == MemoryClass ? new ToyMemoryModel(components) : new ToyModel(components);

    /// <summary>Writes a model of the family: weights of its own, autoencoder and scheduler of the model that ships.</summary>
    public static void Write(string folder, string className, string schedulerClass = "EulerDiscreteScheduler")
    {
        foreach (string part in (string[])["vae", "scheduler"])
        {
            Directory.CreateDirectory(Path.Combine(folder, part));
            foreach (string file in Directory.GetFiles(Path.Combine(EmbeddedModel.Folder, part)))
                File.WriteAllBytes(Path.Combine(folder, part, Path.GetFileName(file)), File.ReadAllBytes(file));
        }

        Directory.CreateDirectory(Path.Combine(folder, "denoiser"));
        File.WriteAllText(Path.Combine(folder, "denoiser", "config.json"), """{"channels": 4}""");
        File.WriteAllText(Path.Combine(folder, "model_index.json"),
            $$"""
            {"_class_name": "{{className}}", "denoiser": ["toy", "ToyDenoiser"], "vae": ["diffusers", "AutoencoderKL"],
             "scheduler": ["diffusers", "{{schedulerClass}}"]}
            """);
        var random = new Random(1);
        var writer = new SafetensorsWriter();
        writer.Add("conv.weight", DType.Float32, [4, 4, 3, 3],
            Enumerable.Range(0, 144).Select(_ => (float)(random.NextDouble() - 0.5) / 4).ToArray());
        writer.Add("conv.bias", DType.Float32, [4], new float[4]);
        writer.Save(Path.Combine(folder, "denoiser", "diffusion_pytorch_model.safetensors"));
    }
}

/// <summary>The convolution.</summary>
internal sealed class ToyDenoiser : Layer
{
    private readonly Conv2d conv;

    public ToyDenoiser() => conv = Child("conv", new Conv2d(4, 4, 3, padding: 1));

    public Value Forward(Value latents, Value colour) => Record(latents, () => conv.Forward(latents) + colour);
}

/// <summary>One plan per step.</summary>
internal class ToyModel : DiffusionModel
{
    private const string Colour = "colour";

    public ToyModel(ComponentLoader components)
    {
        var config = components.ConfigOf("denoiser", "ToyDenoiser");
        Toy = new ToyDenoiser();
        Toy.Load(components.WeightsOf("denoiser", config, leastTensors: 2), components.Logger);
        components.Prepare(Toy, "denoiser");
        Vae = components.Vae();
        DType = components.Settings.DType;
        Limits = new(components.Source.Name, new LatentLayout(config.Int("channels"), Vae.SpatialFactor),
            new PipelineDefaults(3, 2, new PixelSize(32, 32)))
        { Embeddings = [new(Colour, 4, PerToken: false)] };
    }

    public override ModelLimits Limits { get; }

    public override string DenoiserName => "denoiser";

    public override Layer Denoiser => Toy;

    public override Autoencoder Vae { get; }

    public override DType DType { get; }

    public override int PromptTokens => 1;

    protected ToyDenoiser Toy { get; }

    public override IReadOnlyDictionary<string, Tensor> Encode(PromptBatch prompts, EncodeContext context)
    {
        float[] colours = [.. prompts.Prompts.SelectMany(p => Enumerable.Range(0, 4).Select(i => i < p.Length ? p[i] / 200f - 0.5f : 0))];
        return new Dictionary<string, Tensor> { [Colour] = context.Scope.Upload(colours, [prompts.Prompts.Count, 4]) };
    }

    public override Graph Trace(PredictionOptions options) => PredictionTrace.Record(DenoiserName, options, 4, DType,
        step => Toy.Forward(step.Sample(), Functional.Cast(step.Conditioning(Colour, 1, 1, 4), DType)));
}

/// <summary>Two plans per step: one updates a memory of all latents so far, which stays on the device, and one predicts from it.</summary>
internal sealed class ToyMemoryModel(ComponentLoader components) : ToyModel(components)
{
    public override StepModel CreateStep(PredictionOptions options, StepSetup setup, ArenaPool arenas, CancellationToken cancellation) =>
        new MemoryStep(base.CreateStep(options, setup, arenas, cancellation), arenas, cancellation);

    private sealed class MemoryStep : StepModel
    {
        private readonly StepModel predict;
        private readonly Plan remember;
        private readonly DeviceScope scope;
        private readonly Launch[] before, between;

        public MemoryStep(StepModel predict, ArenaPool arenas, CancellationToken cancellation)
        {
            this.predict = predict;
            scope = new DeviceScope(arenas.Device);
            var shape = predict.Latents.Shape;
            Latents = scope.Allocate(DType.Float32, shape);
            var memory = scope.Allocate(DType.Float32, shape);
            var graph = Graph.Trace("memory", g =>
            {
                Value Input(string name) => g.Input(name, DType.Float32, shape[0], shape[1], shape[2], shape[3]);
                g.Output("memory", Input("latents") * 0.75 + Input("before") * 0.25);
            });
            remember = new CompiledGraph(graph, arenas).Rent(new Sizes(), cancellation: cancellation);
            Launch Copy(Tensor from, Tensor to) => scope.Bind(new Concat(0), [from], to, cancellation);
            before = [Copy(Latents, remember.Input("latents")), Copy(memory, remember.Input("before"))];
            between = [Copy(remember.Output("memory"), memory), Copy(memory, predict.Latents)];
        }

        public override Tensor Latents { get; }

        public override Tensor Prediction => predict.Prediction;

        public override long ArenaBytes => predict.ArenaBytes + remember.ArenaBytes;

        public override int LaunchCount => predict.LaunchCount + remember.LaunchCount + before.Length + between.Length;

        public override void Predict(double timestep, double inputScale, CancellationToken cancellation)
        {
            foreach (var copy in before) copy.Run();
            remember.Run(cancellation);
            foreach (var copy in between) copy.Run();
            predict.Predict(timestep, inputScale, cancellation);
        }

        public override void SetGuidanceScale(double scale) => predict.SetGuidanceScale(scale);

        protected override void Dispose(bool disposing)
        {
            remember.Dispose();
            scope.Dispose();
            predict.Dispose();
        }
    }
}
