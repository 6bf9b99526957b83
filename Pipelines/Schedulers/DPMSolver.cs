using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>What DPM-Solver integrates, x0 or ε, as an ODE or an SDE (algorithm_type).</summary>
internal enum DPMAlgorithm
{
    /// <summary>dpmsolver++: exact in x0 (Lu et al., 2022, arXiv:2211.01095).</summary>
    Data,

    /// <summary>sde-dpmsolver++.</summary>
    DataWithNoise,

    /// <summary>dpmsolver: exact in ε (Lu et al., 2022, arXiv:2206.00927).</summary>
    Noise,

    /// <summary>sde-dpmsolver.</summary>
    NoiseWithNoise,
}

/// <summary>
/// Coefficients of one multistep update x' = Sample·x + Outputs[0]·m₀ + Outputs[1]·m₁ + Outputs[2]·m₂ + Noise·z, with m₀ the current x0 or
/// ε and m₁, m₂ the previous ones.
/// </summary>
internal readonly record struct DPMUpdate(double Sample, double[] Outputs, double Noise);

/// <summary>A point of the noise schedule: x = Alpha·x0 + Sigma·ε, and λ = ln(Alpha/Sigma), infinite for Sigma = 0.</summary>
internal readonly record struct DPMPoint(double Alpha, double Sigma)
{
    public double Lambda => Math.Log(Alpha) - Math.Log(Sigma);
}

/// <summary>
/// DPM-Solver's update formulas in λ. Differences of model outputs are multiplied out, so that a step is one linear combination.
/// </summary>
internal static class DPMSolver
{
    /// <summary>Reads solver_type: whether it is heun. The names of other solvers mean midpoint, as in diffusers.</summary>
    public static bool IsHeun(ModelConfig config) => config.Choice("solver_type", "midpoint", "heun", "logrho", "bh1", "bh2") == 1;

    /// <summary>The update from <paramref name="present"/> to <paramref name="next"/>.</summary>
    /// <param name="algorithm">Formula to use.</param>
    /// <param name="heun">solver_type heun instead of midpoint, for second order; third order has only one formula.</param>
    /// <param name="next">Point at which the step ends.</param>
    /// <param name="present">Point at which m₀ was evaluated.</param>
    /// <param name="before">Points at which m₁ and m₂ were evaluated: order − 1 of them.</param>
    public static DPMUpdate Update(DPMAlgorithm algorithm, bool heun, DPMPoint next, DPMPoint present, params ReadOnlySpan<DPMPoint> before)
    {
        double h = next.Lambda - present.Lambda;
        if (h == 0) return new(1, new double[before.Length + 1], 0); // the table repeats its last sigma: the step changes nothing
        var (sample, d0, noise) = FirstOrder(algorithm, next, present, h);
        if (before.Length == 0) return new(sample, [d0], noise);

        // D1 = (m₀ − m₁)/r₀ with r₀ = h₀/h
        double u = h / (present.Lambda - before[0].Lambda);
        double d1 = heun || before.Length > 1 ? Linear(algorithm, next, h) : d0 / 2;
        if (before.Length == 1) return new(sample, [d0 + d1 * u, -d1 * u], noise);

        // D1 = (1 + w)·u·(m₀ − m₁) − w·v·(m₁ − m₂), D2 = s·(u·(m₀ − m₁) − v·(m₁ − m₂)), with w = r₀/(r₀ + r₁), s = 1/(r₀ + r₁)
        double v = h / (before[0].Lambda - before[1].Lambda);
        double s = 1 / (1 / u + 1 / v), w = s / u, d2 = Quadratic(algorithm, next, h);
        double near = d1 * (1 + w) * u + d2 * s * u, far = d1 * w * v + d2 * s * v;
        return new(sample, [d0 + near, -near - far, far], noise);
    }

    /// <summary>
    /// The update of the singlestep method to <paramref name="next"/>, taken from the first of its evaluations. Outputs are in the order of
    /// the evaluations.
    /// </summary>
    /// <param name="algorithm">Formula to use.</param>
    /// <param name="heun">solver_type heun instead of midpoint.</param>
    /// <param name="next">Point at which the step ends.</param>
    /// <param name="start">Point of the first evaluation, at which the step begins.</param>
    /// <param name="later">Points of the other evaluations: order − 1 of them.</param>
    public static DPMUpdate Singlestep(DPMAlgorithm algorithm, bool heun, DPMPoint next, DPMPoint start,
        params ReadOnlySpan<DPMPoint> later)
    {
        if (later.Length < 2) return Update(algorithm, heun, next, start, later); // its differences are the same, to a later point
        double h = next.Lambda - start.Lambda;
        var (sample, d0, noise) = FirstOrder(algorithm, next, start, h);
        double near = (later[0].Lambda - start.Lambda) / h, far = (later[1].Lambda - start.Lambda) / h;
        double d1 = Linear(algorithm, next, h);

        // midpoint: D1 = (m₂ − m₀)/far; heun: D1 = (far·(m₁ − m₀)/near − near·(m₂ − m₀)/far)/(far − near),
        // D2 = 2·((m₂ − m₀)/far − (m₁ − m₀)/near)/(far − near)
        double d2 = heun ? 2 * Quadratic(algorithm, next, h) : 0, span = far - near;
        double first = heun ? (d1 * far - d2) / (near * span) : 0, second = heun ? (d2 - d1 * near) / (far * span) : d1 / far;
        return new(sample, [d0 - first - second, first, second], noise);
    }

    private static (double Sample, double Output, double Noise) FirstOrder(DPMAlgorithm algorithm, DPMPoint next, DPMPoint present,
        double h) => algorithm switch
        {
            DPMAlgorithm.Data => (next.Sigma / present.Sigma, next.Alpha * (1 - Math.Exp(-h)), 0),
            DPMAlgorithm.DataWithNoise =>
                (next.Sigma / present.Sigma * Math.Exp(-h), next.Alpha * (1 - Math.Exp(-2 * h)),
                    next.Sigma * Math.Sqrt(1 - Math.Exp(-2 * h))),
            DPMAlgorithm.Noise => (next.Alpha / present.Alpha, next.Sigma * (1 - Math.Exp(h)), 0),
            _ => (next.Alpha / present.Alpha, 2 * next.Sigma * (1 - Math.Exp(h)), next.Sigma * Math.Sqrt(Math.Exp(2 * h) - 1)),
        };

    /// <summary>The factor of D1 that integrates a linear change exactly.</summary>
    private static double Linear(DPMAlgorithm algorithm, DPMPoint next, double h) => algorithm switch
    {
        DPMAlgorithm.Data => next.Alpha * ((Math.Exp(-h) - 1) / h + 1),
        DPMAlgorithm.DataWithNoise => next.Alpha * ((1 - Math.Exp(-2 * h)) / (-2 * h) + 1),
        DPMAlgorithm.Noise => -next.Sigma * ((Math.Exp(h) - 1) / h - 1),
        _ => -2 * next.Sigma * ((Math.Exp(h) - 1) / h - 1),
    };

    /// <summary>
    /// Factor of D2 as in diffusers: for the ODEs half of the exact integral of a quadratic change, for sde-dpmsolver++ a value that does
    /// not vanish with h. Order 3 therefore does not converge at third order, but images equal those of diffusers. sde-dpmsolver has no
    /// order 3.
    /// </summary>
    private static double Quadratic(DPMAlgorithm algorithm, DPMPoint next, double h) => algorithm switch
    {
        DPMAlgorithm.Data => -next.Alpha * ((Math.Exp(-h) - 1 + h) / (h * h) - 0.5),
        DPMAlgorithm.DataWithNoise => next.Alpha * ((1 - Math.Exp(-2 * h) - 2 * h) / (4 * h * h) - 0.5),
        _ => -next.Sigma * ((Math.Exp(h) - 1 - h) / (h * h) - 0.5),
    };
}
