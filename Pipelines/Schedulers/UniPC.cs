namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// The update formulas of UniPC in λ: Zhao et al., 2023 (arXiv:2302.04867). Predictor (UniP) and corrector (UniC) share one form,
/// x' = Sample·x + Σ Outputs·m; the corrector also uses the model's output at the end of the step.
/// </summary>
/// <param name="predictsData">Whether the outputs m are x0 instead of ε (predict_x0).</param>
/// <param name="bh1">B(h) = h instead of e^h − 1 (solver_type).</param>
internal sealed class UniPC(bool predictsData, bool bh1)
{
    /// <summary>The predictor's step; outputs from m₀ at <paramref name="present"/> back.</summary>
    /// <param name="next">Point at which the step ends.</param>
    /// <param name="present">Point at which it begins.</param>
    /// <param name="before">Points of the earlier outputs: order − 1 of them.</param>
    public (double Sample, double[] Outputs) Predict(DPMPoint next, DPMPoint present, DPMPoint[] before)
    {
        double h = next.Lambda - present.Lambda;
        if (h == 0) return (1, new double[before.Length + 1]); // the table repeats its last sigma: the step changes nothing
        return Update(next, present, h, [.. before.Select(b => (b.Lambda - present.Lambda) / h)]);
    }

    /// <summary>The corrector's step, taken again from its begin; outputs from the one at <paramref name="next"/> back.</summary>
    /// <param name="next">Point at which the step ends.</param>
    /// <param name="present">Point at which it begins.</param>
    /// <param name="before">Points of the earlier outputs: order − 1 of them.</param>
    public (double Sample, double[] Outputs) Correct(DPMPoint next, DPMPoint present, DPMPoint[] before)
    {
        double h = next.Lambda - present.Lambda;
        var (sample, outputs) = Update(next, present, h, [1, .. before.Select(b => (b.Lambda - present.Lambda) / h)]);
        (outputs[0], outputs[1]) = (outputs[1], outputs[0]); // m₀ is the second newest here
        return (sample, outputs);
    }

    /// <summary>The update with outputs m₀ and one for each node, a place in units of the step; differences are multiplied out.</summary>
    private (double Sample, double[] Outputs) Update(DPMPoint next, DPMPoint present, double h, double[] nodes)
    {
        double z = predictsData ? -h : h, growth = Math.Exp(z) - 1, scale = predictsData ? next.Alpha : next.Sigma;
        var outputs = new double[nodes.Length + 1];
        outputs[0] = -scale * growth;
        double[] weights = nodes.Length == 1 ? [0.5] : Weights(nodes, z, growth);
        for (int k = 0; k < nodes.Length; k++)
        {
            double weight = -scale * (bh1 ? z : growth) * weights[k] / nodes[k];
            outputs[0] -= weight;
            outputs[k + 1] = weight;
        }

        return (predictsData ? next.Sigma / present.Sigma : next.Alpha / present.Alpha, outputs);
    }

    /// <summary>
    /// The weights w with Σ wₖ·rₖ^(i−1) = bᵢ for nodes r. They are Σ aᵢ·bᵢ, with a the coefficients of the Lagrange polynomial of rₖ.
    /// </summary>
    private double[] Weights(double[] nodes, double z, double growth)
    {
        var moments = new double[nodes.Length];
        double phi = growth / z - 1, factorial = 1;
        for (int i = 0; i < moments.Length; i++)
        {
            moments[i] = phi * factorial / (bh1 ? z : growth);
            factorial *= i + 2;
            phi = phi / z - 1 / factorial;
        }

        return [.. nodes.Select((_, k) => Lagrange.Integral(nodes, k, moments))];
    }
}
