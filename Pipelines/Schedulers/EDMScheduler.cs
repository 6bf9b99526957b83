using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// Base class of the methods in the formulation of Karras et al., 2022 (arXiv:2206.00364, table 1, "EDM"): latents are x0 + σ·ε, the
/// model's input is scaled by 1/√(σ² + σ_data²), its timestep is ln σ / 4, and x0 is a mixture of the latents and the model's output.
/// </summary>
internal abstract class EDMScheduler : Scheduler
{
    /// <summary>The keys that the constructor reads.</summary>
    public static readonly string[] SharedKeys =
        ["sigma_min", "sigma_max", "sigma_data", "sigma_schedule", "num_train_timesteps", "prediction_type", "rho"];

    private readonly double low, high, data, rho;
    private readonly bool exponential;
    private readonly bool velocity;

    private protected EDMScheduler(ModelConfig config) : base(config)
    {
        TrainTimesteps = BetaSchedule.Count(config);
        (low, high) = (Positive("sigma_min", 0.002), Positive("sigma_max", 80));
        if (low >= high) throw config.Wrong("sigma_min", $"less than sigma_max, {high:R}");
        (data, rho) = (Positive("sigma_data", 0.5), Positive("rho", 7));
        exponential = config.Choice("sigma_schedule", "karras", "exponential") == 1;
        velocity = Prediction.Read(config, PredictionType.Epsilon, PredictionType.VPrediction) == PredictionType.VPrediction;

        // null, which configurations of other classes have for the bounds, is the default here
        double Positive(string key, double fallback) => config.IsNull(key) ? fallback
            : config.Double(key, fallback) is > 0 and <= 1e6 and var value ? value
            : throw config.Wrong(key, "above 0 and at most 1000000");
    }

    public override int TrainTimesteps { get; }

    protected internal override double InputScale(ScheduleTables tables, int index) =>
        1 / Math.Sqrt(tables.Sigmas[index] * tables.Sigmas[index] + data * data);

    protected internal override (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index) => (1, tables.Sigmas[index]);

    /// <summary>Tables of a number of steps, with σ at the end.</summary>
    private protected ScheduleTables Tables(ScheduleRequest request, bool endsAtZero)
    {
        if (request.Timesteps is not null) throw Refuse(nameof(ScheduleRequest.Timesteps), "custom timesteps");
        if (request.Sigmas is not null) throw Refuse(nameof(ScheduleRequest.Sigmas), "custom sigmas");
        double[] sigmas = exponential ? Exponential(request.Steps!.Value) : Karras(request.Steps!.Value);
        return new([.. sigmas.Select(sigma => (double)(float)(0.25 * Math.Log(sigma)))],
            SigmaTable.Rounded(sigmas.Append(endsAtZero ? 0 : low)), Math.Sqrt(high * high + 1));
    }

    /// <summary>x0 at a level σ.</summary>
    private protected Blend Denoised(double sigma)
    {
        double square = sigma * sigma + data * data;
        return new(data * data / square, (velocity ? -1 : 1) * sigma * data / Math.Sqrt(square));
    }

    /// <summary>Equation 5 of the paper; its ramp is float32, as in diffusers.</summary>
    private double[] Karras(int steps)
    {
        double from = Math.Pow(high, 1 / rho), span = Math.Pow(low, 1 / rho) - from;
        return [.. Grid.LinspaceFloat(0, 1, steps).Select(u => (double)(float)Math.Pow((float)from + u * (float)span, rho))];
    }

    private double[] Exponential(int steps) =>
        Grid.Reversed<double>([.. Grid.LinspaceFloat((float)Math.Log(low), (float)Math.Log(high), steps)
            .Select(log => (double)(float)Math.Exp(log))]);
}
