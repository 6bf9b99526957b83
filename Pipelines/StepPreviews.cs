using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Autoencoders;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines;

/// <summary>Draws the previews of a run.</summary>
internal sealed class StepPreviews(PreviewOptions options)
{
    /// <summary>The latest previews; empty until one is due.</summary>
    public IReadOnlyList<Image> Latest { get; private set; } = [];

    /// <summary>Draws the previews after a step, if any are due.</summary>
    /// <param name="step">Number of the step, from 0.</param>
    /// <param name="last">Number of the last step.</param>
    /// <param name="model">The model.</param>
    /// <param name="latents">The clean latents that the step predicts, [n, h, w, c].</param>
    /// <param name="device">Where they are.</param>
    /// <param name="tiles">Tiles to decode in; null for whole images.</param>
    /// <param name="warn">Receives warnings.</param>
    /// <param name="cancellation">Checked between kernels.</param>
    public void Draw(int step, int last, DiffusionModel model, Tensor latents, Device device, TileGrid? tiles,
        Action<string> warn, CancellationToken cancellation)
    {
        Latest = options.Every > 0 && ((step + 1) % options.Every == 0 || step == last)
            ? [.. Enumerable.Range(0, latents.Shape[0]).Select(i => Image(model, latents.Slice(i, 1), device, tiles, warn, cancellation))
                .OfType<Image>()]
            : [];
    }

    private Image? Image(DiffusionModel model, Tensor latents, Device device, TileGrid? tiles, Action<string> warn,
        CancellationToken cancellation)
    {
        if (options.Decode) return model.Vae.DecodeImage(latents, tiles, warn, cancellation);

        if (model.Preview is not { } preview) return null;
        var values = new float[latents.Shape.Count];
        device.Download(latents, MemoryMarshal.AsBytes(values.AsSpan()));
        return preview.Draw(values, latents.Shape[2], latents.Shape[1]);
    }
}
