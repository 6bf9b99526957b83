namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Steps along the slope dx/dσ = (x − x0)/σ.</summary>
internal static class EulerStep
{
    /// <summary>
    /// The churn of Karras et al., 2022 (arXiv:2206.00364), algorithm 2: the level to which noise raises the sample before the step, and
    /// the factor of that noise; the level itself and 0 where the request has no churn there.
    /// </summary>
    public static (double SigmaHat, double Noise) Churn(ScheduleRequest request, ScheduleTables tables, double sigma)
    {
        double gamma = request.STMin <= sigma && sigma <= request.STMax
            ? Math.Min(request.SChurn / (tables.Sigmas.Length - 1), Math.Sqrt(2) - 1)
            : 0;
        double sigmaHat = sigma * (gamma + 1);
        return (sigmaHat, gamma > 0 ? request.SNoise * Math.Sqrt(sigmaHat * sigmaHat - sigma * sigma) : 0);
    }

    /// <summary>
    /// One Euler step along dx/dσ = (x̂ − x0)/σ̂ from σ̂ to a lower level, with x̂ = x + before·noise, then after·noise on top.
    /// </summary>
    public static void Write(StepWriter step, Blend denoised, double sigmaHat, double target, double before, double after)
    {
        double slope = (target - sigmaHat) / sigmaHat;
        double sample = 1 + (1 - denoised.Sample) * slope;
        step.Denoise(denoised, denoised.Sample * before);
        step.Combine(Slot.Sample,
            (Slot.Sample, sample),
            (Slot.ModelOutput, -denoised.Output * slope),
            (Slot.Noise, sample * before + after));
    }

    /// <summary>Sample = start + length·(x − x0)/σ + noise·z, with the slope at the present sample x and its level σ.</summary>
    public static void WriteSlope(StepWriter step, Slot start, Blend denoised, double sigma, double length, double noise)
    {
        double slope = length / sigma;
        step.Combine(Slot.Sample,
            (start, 1), (Slot.Sample, (1 - denoised.Sample) * slope), (Slot.ModelOutput, -denoised.Output * slope), (Slot.Noise, noise));
    }
}
