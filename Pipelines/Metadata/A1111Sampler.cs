using System.Text.Json;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Metadata;

/// <summary>A1111's name for a scheduler with its settings: <c>DPM++ 2M Karras</c>.</summary>
internal static class A1111Sampler
{
    /// <summary>The name; where A1111 has no such sampler, one formed in the same way.</summary>
    /// <param name="scheduler">diffusers' class name.</param>
    /// <param name="settings">Its config.</param>
    public static string NameOf(string scheduler, IReadOnlyDictionary<string, JsonElement> settings)
    {
        string name = scheduler switch
        {
            nameof(DPMSolverSDEScheduler) => "DPM++ SDE",
            nameof(EulerDiscreteScheduler) => "Euler",
            nameof(EulerAncestralDiscreteScheduler) => "Euler a",
            nameof(DDIMScheduler) => "DDIM",
            nameof(DDPMScheduler) => "DDPM",
            nameof(DEISMultistepScheduler) => "DEIS",
            nameof(HeunDiscreteScheduler) => "Heun",
            nameof(KDPM2AncestralDiscreteScheduler) => "DPM2 a",
            nameof(KDPM2DiscreteScheduler) => "DPM2",
            nameof(LCMScheduler) => "LCM",
            nameof(LMSDiscreteScheduler) => "LMS",
            nameof(PNDMScheduler) => Is("skip_prk_steps") ? "PLMS" : "PNDM",
            nameof(SASolverScheduler) => "SA Solver",
            nameof(TCDScheduler) => "TCD",
            nameof(UniPCMultistepScheduler) => "UniPC",
            nameof(DPMSolverMultistepScheduler) => Solver(),
            _ => scheduler,
        };
        return name + (Is("use_karras_sigmas") ? " Karras" : Is("use_exponential_sigmas") ? " Exponential" : Is("use_beta_sigmas") ? " Beta"
            : "");

        bool Is(string key) => settings.TryGetValue(key, out var value) && value.ValueKind == JsonValueKind.True;

        string Solver()
        {
            string algorithm = settings.TryGetValue("algorithm_type", out var type) ? $"{type}" : "dpmsolver++";
            string order = settings.TryGetValue("solver_order", out var number) ? $"{number}" : "2";
            return $"DPM{(algorithm.EndsWith("++", StringComparison.Ordinal) ? "++" : "")} "
                + $"{order}M{(algorithm.StartsWith("sde", StringComparison.Ordinal) ? " SDE" : "")}";
        }
    }
}
