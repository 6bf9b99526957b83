using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Errors;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>Float16 ends at 65504, and activations of some autoencoders are larger: such images are computed again in Float32.</summary>
public sealed partial class Autoencoder
{
    private const string Decoded = "an image was decoded", Encoded = "an image was encoded";

    /// <summary>Loads the model again, for Float32; null if overflow is an error.</summary>
    internal Func<AutoencoderKL>? Fallback { get; init; }

    /// <summary>Takes warnings of the public methods.</summary>
    internal ILogger Logger { get; init; } = NullLogger.Instance;

    private bool MayOverflow => DType == DType.Float16 && Fallback is not null;

    /// <summary>Whether a result is not finite although its source is.</summary>
    private bool Overflowed(float[] result, float[] source) =>
        MayOverflow && NotFinite.IndexIn(result) >= 0 && NotFinite.IndexIn(source) < 0;

    /// <summary>
    /// Calls the same model in Float32. Its weights, arena and constants are freed afterwards, and nothing of this model changes: an image
    /// depends on no image before it.
    /// </summary>
    private T InFloat32<T>(Func<Autoencoder, T> call, string what, Action<string> warn)
    {
        using var memory = new ArenaPool(device, Logger);
        var result = call(new Autoencoder(Fallback!(), memory, options, DType.Float32));
        warn($"The vae overflowed in Float16, so {what} again in Float32, which takes longer. Load the pipeline with VaeDType Float32 or "
            + "BFloat16, or with a vae adapted to Float16, to compute once.");
        return result;
    }

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Shape.Count];
        device.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private void Log(string warning) => AutoencoderLog.Overflow(Logger, warning);
}
