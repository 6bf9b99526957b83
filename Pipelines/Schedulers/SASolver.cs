namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// The update formulas of SA-Solver in λ: Xue et al., 2023 (arXiv:2305.16049), stochastic Adams methods. Predictor and corrector share one
/// form, x' = Sample·x + Σ Outputs·m + Noise·z.
/// </summary>
/// <param name="predictsData">Whether the outputs m are x0 instead of ε (algorithm_type).</param>
internal sealed class SASolver(bool predictsData)
{
    /// <summary>The predictor's step; outputs from the one at <paramref name="present"/> back.</summary>
    /// <param name="tau">τ, the amount of noise: 0 gives an ODE.</param>
    /// <param name="next">Point at which the step ends.</param>
    /// <param name="present">Point at which it begins.</param>
    /// <param name="nodes">Points of the outputs.</param>
    public DPMUpdate Predict(double tau, DPMPoint next, DPMPoint present, DPMPoint[] nodes)
    {
        double h = next.Lambda - present.Lambda;
        return Update(tau, next, present, nodes, s => nodes.Length != 2 ? 0
            : (h * h / 2 - (h * s - 1 + Math.Exp(-s * h)) / (s * s)) / (present.Lambda - nodes[1].Lambda));
    }

    /// <summary>The corrector's step, taken again from its begin; outputs from the one at <paramref name="next"/> back.</summary>
    public DPMUpdate Correct(double tau, DPMPoint next, DPMPoint present, DPMPoint[] nodes)
    {
        double h = next.Lambda - present.Lambda;
        return Update(tau, next, present, nodes, s => nodes.Length != 2 ? 0
            : h / 2 - (h * s - 1 + Math.Exp(-s * h)) / (s * s * h));
    }

    /// <summary>
    /// The integral of the polynomial through the outputs, weighted by e^(s·λ) with s = 1 + τ² for x0 and −1 for ε, with λ relative to the
    /// step's end. Second order with x0 has a term more (<paramref name="extra"/>), as in diffusers.
    /// </summary>
    private DPMUpdate Update(double tau, DPMPoint next, DPMPoint present, DPMPoint[] nodes, Func<double, double> extra)
    {
        double h = next.Lambda - present.Lambda, square = tau * tau;
        double scale = predictsData ? (1 + square) * next.Alpha : -(1 + square) * next.Sigma;
        double[] moments = Moments(nodes.Length, predictsData ? 1 + square : -1, h);
        double[] places = [.. nodes.Select(node => node.Lambda - next.Lambda)];
        double[] outputs = [.. places.Select((_, k) => Lagrange.Integral(places, k, moments))];
        if (predictsData && nodes.Length == 2)
        {
            double more = extra(1 + square);
            outputs[0] += more;
            outputs[1] -= more;
        }

        for (int k = 0; k < outputs.Length; k++) outputs[k] *= scale;
        return predictsData
            ? new(Math.Exp(-square * h) * next.Sigma / present.Sigma, outputs, next.Sigma * Math.Sqrt(1 - Math.Exp(-2 * square * h)))
            : new(next.Alpha / present.Alpha, outputs, tau * next.Sigma * Math.Sqrt(Math.Exp(2 * h) - 1));
    }

    /// <summary>∫ e^(s·u)·uᵏ du from −h to 0, by parts.</summary>
    private static double[] Moments(int count, double s, double h)
    {
        var moments = new double[count];
        double end = Math.Exp(-s * h);
        moments[0] = (1 - end) / s;
        for (int k = 1; k < count; k++) moments[k] = -(Math.Pow(-h, k) * end + k * moments[k - 1]) / s;
        return moments;
    }
}
