namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Lagrange polynomials: the one of a node is 1 there and 0 at the other nodes.</summary>
internal static class Lagrange
{
    /// <summary>The value of a node's polynomial.</summary>
    /// <param name="nodes">Distinct places.</param>
    /// <param name="node">Index of the node.</param>
    /// <param name="at">Where to evaluate.</param>
    public static double Value(ReadOnlySpan<double> nodes, int node, double at)
    {
        double product = 1;
        for (int i = 0; i < nodes.Length; i++)
            if (i != node) product *= (at - nodes[i]) / (nodes[node] - nodes[i]);
        return product;
    }

    /// <summary>
    /// The integral of a node's polynomial with a weight function whose <paramref name="moments"/> are known: Σ cₖ·momentₖ, with cₖ the
    /// polynomial's coefficients and momentₖ the weighted integral of xᵏ.
    /// </summary>
    public static double Integral(ReadOnlySpan<double> nodes, int node, ReadOnlySpan<double> moments)
    {
        double[] coefficients = Coefficients(nodes, node);
        double sum = 0;
        for (int i = 0; i < coefficients.Length; i++) sum += coefficients[i] * moments[i];
        return sum;
    }

    private static double[] Coefficients(ReadOnlySpan<double> nodes, int node)
    {
        var polynomial = new double[nodes.Length];
        polynomial[0] = 1;
        for (int j = 0; j < nodes.Length; j++)
        {
            if (j == node) continue;
            double span = nodes[node] - nodes[j];
            for (int i = nodes.Length - 1; i >= 0; i--) polynomial[i] = ((i > 0 ? polynomial[i - 1] : 0) - nodes[j] * polynomial[i]) / span;
        }

        return polynomial;
    }
}
