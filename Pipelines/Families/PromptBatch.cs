using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>Prompts to encode together.</summary>
/// <param name="Prompts">The prompts.</param>
/// <param name="Prompts2">For a second text encoder; as many, equal to the first where the request has none of its own.</param>
/// <param name="ClipSkip">Number of last layers to skip in addition to those that the family skips.</param>
/// <param name="Negative">Whether these are negative prompts.</param>
/// <param name="Given">Whether the request has such prompts; if not, they are empty texts.</param>
public sealed record PromptBatch(IReadOnlyList<string> Prompts, IReadOnlyList<string> Prompts2, int ClipSkip, bool Negative, bool Given);

/// <summary>Where prompts are encoded.</summary>
/// <param name="Scope">Owns the results.</param>
/// <param name="Warnings">Receives what the user should know, such as text that was left out.</param>
/// <param name="Cancellation">Checked between kernels.</param>
public sealed record EncodeContext(DeviceScope Scope, ICollection<string> Warnings, CancellationToken Cancellation)
{
    /// <summary>Adds warnings that are not there yet.</summary>
    public void Warn(IEnumerable<string?> warnings)
    {
        foreach (string warning in warnings.OfType<string>().Distinct())
            if (!Warnings.Contains(warning)) Warnings.Add(warning);
    }
}
