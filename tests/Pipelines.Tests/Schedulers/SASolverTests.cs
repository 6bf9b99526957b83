using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>SA-Solver's formulas for a model that returns cos λ, where the exact mean is an integral over λ.</summary>
public sealed class SASolverTests
{
    private const double From = -2, To = 2;

    [Theory]
    [InlineData(true, 1, 0.9), InlineData(true, 2, 1.8), InlineData(true, 3, 2.8), InlineData(true, 4, 3.7)]
    [InlineData(false, 1, 0.9), InlineData(false, 2, 1.8), InlineData(false, 3, 2.8), InlineData(false, 4, 3.7)]
    public void Predict_HalvedSteps_HasItsOrder(bool data, int order, double atLeast) =>
        AssertOrder(atLeast, steps => Error(data, steps, (solver, points, i) =>
            (solver.Predict(Tau, points[i + 1], points[i], Back(points, i, order)), i)));

    [Theory]
    [InlineData(true, 1, 0.9), InlineData(true, 2, 1.8), InlineData(true, 3, 2.8), InlineData(true, 4, 3.7)]
    [InlineData(false, 1, 0.9), InlineData(false, 2, 1.8), InlineData(false, 3, 2.8), InlineData(false, 4, 3.7)]
    public void Correct_HalvedSteps_HasItsOrder(bool data, int order, double atLeast) =>
        AssertOrder(atLeast, steps => Error(data, steps, (solver, points, i) =>
            (solver.Correct(Tau, points[i + 1], points[i], Back(points, i + 1, order)), i + 1)));

    [Fact]
    public void Predict_ZeroTau_IsTheFirstOrderOde()
    {
        DPMPoint next = Point(0.5), present = Point(0.1);
        var update = new SASolver(predictsData: true).Predict(0, next, present, [present]);
        var expected = DPMSolver.Update(DPMAlgorithm.Data, heun: false, next, present);
        Assert.Equal(expected.Sample, update.Sample, 1e-14);
        Assert.Equal(expected.Outputs[0], update.Outputs[0], 1e-14);
        Assert.Equal(0, update.Noise);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Predict_UnitTau_IsTheFirstOrderSde(bool data)
    {
        DPMPoint next = Point(0.5), present = Point(0.1);
        var update = new SASolver(data).Predict(1, next, present, [present]);
        var expected = DPMSolver.Update(data ? DPMAlgorithm.DataWithNoise : DPMAlgorithm.NoiseWithNoise, heun: false, next, present);
        Assert.Equal(expected.Sample, update.Sample, 1e-14);
        Assert.Equal(expected.Outputs[0], update.Outputs[0], 1e-14);
        Assert.Equal(expected.Noise, update.Noise, 1e-14);
    }

    private const double Tau = 0.7;

    private static void AssertOrder(double atLeast, Func<int, double> error)
    {
        double coarse = error(100), fine = error(200), found = Math.Log2(coarse / fine);
        Assert.True(found >= atLeast, $"order {found:g3}, errors {coarse:g3} and {fine:g3}");
    }

    /// <summary>The error after equal steps in λ, whose outputs are cos λ at the points from the returned index back.</summary>
    private static double Error(bool data, int steps, Func<SASolver, DPMPoint[], int, (DPMUpdate Update, int Newest)> update)
    {
        const int Before = 3; // points before the begin, for the history
        double h = (To - From) / steps;
        DPMPoint[] points = [.. Enumerable.Range(-Before, steps + Before + 1).Select(i => Point(From + i * h))];
        var solver = new SASolver(data);
        double x = 0.3;
        for (int i = Before; i < points.Length - 1; i++)
        {
            var (step, newest) = update(solver, points, i);
            x = step.Sample * x + step.Outputs.Select((factor, back) => factor * Math.Cos(points[newest - back].Lambda)).Sum();
        }

        return Math.Abs(x - Exact(data));
    }

    /// <summary>The mean of the SDE at the end, by Simpson's rule.</summary>
    private static double Exact(bool data)
    {
        DPMPoint begin = Point(From), end = Point(To);
        double square = Tau * Tau, h = (To - From) / 20000, sum = 0;
        for (int i = 0; i <= 20000; i++)
        {
            double lambda = From + i * h, weight = i is 0 or 20000 ? 1 : i % 2 == 1 ? 4 : 2;
            sum += weight * Math.Exp(data ? (1 + square) * (lambda - To) : To - lambda) * Math.Cos(lambda) * h / 3;
        }

        return data ? Math.Exp(-square * (To - From)) * end.Sigma / begin.Sigma * 0.3 + (1 + square) * end.Alpha * sum
            : end.Alpha / begin.Alpha * 0.3 - (1 + square) * end.Sigma * sum;
    }

    private static DPMPoint[] Back(DPMPoint[] points, int index, int count) =>
        [.. Enumerable.Range(0, count).Select(back => points[index - back])];

    private static DPMPoint Point(double lambda) =>
        new(1 / Math.Sqrt(1 + Math.Exp(-2 * lambda)), 1 / Math.Sqrt(1 + Math.Exp(2 * lambda)));
}
