using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.Denoisers;

/// <summary>
/// What the denoising loop evaluates in every step: one plan or several that hand their results on, with state on the device. Everything is
/// prepared when it is made: a step allocates nothing and reads nothing back.
/// </summary>
public abstract class StepModel : IDisposable
{
    /// <summary>The latents, Float32 [n, h, w, c]; the scheduler writes them after every step.</summary>
    public abstract Tensor Latents { get; }

    /// <summary>The prediction, Float32 [n, h, w, c]; valid after <see cref="Predict"/>.</summary>
    public abstract Tensor Prediction { get; }

    /// <summary>Memory of the plans for intermediate values, in bytes.</summary>
    public abstract long ArenaBytes { get; }

    /// <summary>Number of kernels launched per step.</summary>
    public abstract int LaunchCount { get; }

    /// <summary>Computes the prediction from the latents.</summary>
    /// <param name="timestep">The scheduler's timestep.</param>
    /// <param name="inputScale">Factor of the latents before they enter the model.</param>
    /// <param name="cancellation">Checked before every kernel.</param>
    public abstract void Predict(double timestep, double inputScale, CancellationToken cancellation);

    /// <summary>Changes the guidance scale from the next step on; without effect on a model that is not guided.</summary>
    public abstract void SetGuidanceScale(double scale);

    /// <summary>Returns the memory.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Returns the memory.</summary>
    protected abstract void Dispose(bool disposing);
}
