using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Denoisers;
using ILGpuDiffusion.Pipelines.LatentSpace;
using ILGpuDiffusion.Pipelines.TextEncoders;

namespace ILGpuDiffusion.Measuring;

/// <summary>One component of a pipeline, to be measured: its layers and their graph.</summary>
/// <param name="Layer">The layers, without weights.</param>
/// <param name="Trace">Records the graph. Must be called after loading weights, because the graph depends on their types.</param>
/// <param name="SizesFor">Sizes of the graph for a side length in pixels and a batch size.</param>
public sealed record Model(Layer Layer, Func<Graph> Trace, Func<int, int, Sizes> SizesFor)
{
    private const int TextTokens = 77, SdxlTimeIds = 6, PixelsPerLatent = 8;

    /// <summary>The component that a config.json describes: a UNet, an autoencoder's decoder, or a text encoder.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="dtype">Type of the activations; inputs are always float32.</param>
    public static Model Of(ModelConfig config, DType dtype = DType.Float32) => config.String("_class_name", "") switch
    {
        nameof(UNet2DConditionModel) => UNet(new UNet2DConditionModel(config), dtype),
        nameof(AutoencoderKL) => Decoder(new AutoencoderKL(config), dtype),
        _ => TextEncoder(new ClipTextModel(config), dtype),
    };

    /// <summary>Fills every input of a graph with suitable numbers, the same in every call.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="locate">Returns an input's tensor, which must be contiguous.</param>
    public static void Fill(Graph graph, Func<string, Tensor> locate)
    {
        var generator = new TorchGenerator(0);
        foreach (var (name, value) in graph.Inputs.OrderBy(i => i.Key, StringComparer.Ordinal))
        {
            var tensor = locate(name);
            if (value.Type.DType == DType.Float32)
            {
                generator.Fill(tensor.Span<float>());
                if (name == "timestep") tensor.Span<float>().Fill(500);
                continue;
            }

            var numbers = tensor.Span<int>();
            for (int i = 0; i < numbers.Length; i++)
                numbers[i] = name switch { "ids" => 1 + 37 * i % 997, "positions" => i, _ => TextTokens - 1 };
        }
    }

    private static Model UNet(UNet2DConditionModel unet, DType dtype) =>
        new(unet, () => unet.Trace(unet.HasAddedConditions ? SdxlTimeIds : 0, dtype: dtype),
            (pixels, batch) => Image(pixels, batch, ("tokens", TextTokens)));

    private static Model Decoder(AutoencoderKL vae, DType dtype) => new(vae, () => Graph.Trace("vae.decode", graph =>
    {
        var latents = Functional.Cast(
            graph.Input("x", DType.Float32, Dim.Symbol("batch"), Dim.Symbol("height"), Dim.Symbol("width"), vae.Config.LatentChannels),
                dtype);
        graph.Output("y", Functional.Cast(vae.Decode(latents), DType.Float32));
    }), (pixels, batch) => Image(pixels, batch));

    private static Model TextEncoder(ClipTextModel text, DType dtype) => new(text, () => Graph.Trace("text_encoder", graph =>
    {
        Dim batch = Dim.Symbol("batch"), tokens = Dim.Symbol("tokens");
        var trace = text.Trace(graph.Input("ids", DType.Int32, batch, tokens), graph.Input("positions", DType.Int32, tokens), dtype);
        graph.Output("hidden", Functional.Cast(trace.Hidden(text.Config.Layers - 1), DType.Float32));
        graph.Output("pooled", Functional.Cast(trace.Pooled(graph.Input("end", DType.Int32, batch)), DType.Float32));
    }), (_, batch) => new Sizes(("batch", batch), ("tokens", TextTokens)));

    private static Sizes Image(int pixels, int batch, params (string, int)[] more) =>
        new([("batch", batch), ("height", pixels / PixelsPerLatent), ("width", pixels / PixelsPerLatent), .. more]);
}
