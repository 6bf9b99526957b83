using System.Text;
using ILGpuDiffusion.Compute;
using ILGpuDiffusion.Layers;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Cli;

/// <summary>What <c>ilgd inspect --graph</c> prints: the plans of a model's denoiser and decoder, with all passes and without any. No weight is read.</summary>
internal static class InspectGraph
{
    private const int Tokens = 77;

    /// <summary>The plans for one guided picture.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="pixels">Height and width; null for the model's own.</param>
    /// <param name="steps">Whether every launch is listed.</param>
    public static string Text(ModelFolder folder, int? pixels, bool steps)
    {
        using var device = new CpuDevice();
        using var arenas = new ArenaPool(device);
        var unet = new UNet2DConditionModel(folder.ConfigOf("unet"));
        var vae = new AutoencoderKL(folder.ConfigOf("vae"));
        int factor = vae.Config.SpatialFactor, side = pixels is { } wanted ? wanted / factor : unet.SampleSize ?? 64;
        if (pixels % factor is > 0) throw new ArgumentException($"--pixels is {pixels}; it must be a multiple of {factor}.");
        var text = new StringBuilder();
        Add("denoiser", options => new CompiledGraph(GuidedDenoiser.Trace(unet, new(Guided: true, Rescaled: false, FreeU: null)), arenas, options),
            new Sizes(("pictures", 1), ("height", side), ("width", side), ("tokens", Tokens)));
        Add("decoder", options => new Autoencoder(vae, arenas, options).Decoder, new Sizes(("batch", 1), ("height", side), ("width", side)));
        return text.ToString();

        void Add(string name, Func<CompileOptions, CompiledGraph> compile, Sizes sizes)
        {
            var compiled = compile(new()).Report(sizes);
            text.AppendLine($"{name}, {side * factor} × {side * factor} pixels, one picture{(name == "denoiser" ? " with guidance" : "")}, on {device.Id}");
            text.Append(steps ? compiled.ToString() : compiled.Summary());
            text.AppendLine($"without passes: {compile(CompileOptions.Eager).Report(sizes).Totals}").AppendLine();
        }
    }
}
