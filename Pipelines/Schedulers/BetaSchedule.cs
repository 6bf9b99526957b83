using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>The noise variance β of each training timestep, in float32 as in training.</summary>
internal static class BetaSchedule
{
    /// <summary>The keys that <see cref="Read"/> and <see cref="TrainingNoise"/> take from a config.</summary>
    public static readonly string[] Keys = ["num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas"];

    private const int MostTimesteps = 100_000;

    /// <summary>Reads num_train_timesteps.</summary>
    public static int Count(ModelConfig config)
    {
        int count = config.Int("num_train_timesteps", 1000);
        return count is >= 1 and <= MostTimesteps ? count
            : throw config.Wrong("num_train_timesteps", $"between 1 and {MostTimesteps}");
    }

    /// <summary>
    /// Reads the schedule from a config; the parameters are the scheduler class's defaults, and whether it has the schedule sigmoid.
    /// </summary>
    public static float[] Read(ModelConfig config, double defaultStart = 0.0001, double defaultEnd = 0.02,
        string defaultSchedule = "linear", bool withSigmoid = false)
    {
        int count = Count(config);
        float[] betas;
        if (config.Has("trained_betas"))
        {
            betas = [.. config.Doubles("trained_betas").Select(b => (float)b)];
            if (betas.Length != count)
                throw config.Wrong("trained_betas", $"a list of num_train_timesteps = {count} numbers; it has {betas.Length}");
            if (!betas.All(InRange)) throw config.Wrong("trained_betas", "numbers above 0 and at most 1");
            return betas;
        }

        double start = Rate(config, "beta_start", defaultStart), end = Rate(config, "beta_end", defaultEnd);
        return config.String("beta_schedule", defaultSchedule) switch
        {
            "linear" => Grid.LinspaceFloat((float)start, (float)end, count),
            "scaled_linear" => Squares(Grid.LinspaceFloat((float)Math.Sqrt(start), (float)Math.Sqrt(end), count)),
            "squaredcos_cap_v2" => Cosine(count),
            "sigmoid" when withSigmoid => Sigmoid((float)start, (float)end, count),
            _ => throw config.Wrong("beta_schedule",
                $"linear, scaled_linear{(withSigmoid ? ", sigmoid" : "")} or squaredcos_cap_v2"),
        };
    }

    private static double Rate(ModelConfig config, string key, double fallback)
    {
        double value = config.Double(key, fallback);
        return InRange((float)value) ? value : throw config.Wrong(key, "above 0 and at most 1");
    }

    private static bool InRange(float beta) => beta is > 0 and <= 1;

    private static float[] Squares(float[] roots)
    {
        for (int i = 0; i < roots.Length; i++) roots[i] *= roots[i];
        return roots;
    }

    /// <summary>The logistic function from −6 to 6, scaled to the range of β (GeoDiff, arXiv:2203.02923).</summary>
    private static float[] Sigmoid(float start, float end, int count) =>
        [.. Grid.LinspaceFloat(-6, 6, count).Select(x => (float)(1 / (1 + Math.Exp(-x))) * (end - start) + start)];

    /// <summary>
    /// Nichol and Dhariwal, 2021 (arXiv:2102.09672): ᾱ(t) = cos²((t + 0.008) / 1.008 · π/2), β = 1 − ᾱ(t₂)/ᾱ(t₁), at most 0.999.
    /// </summary>
    private static float[] Cosine(int count)
    {
        var betas = new float[count];
        for (int i = 0; i < count; i++)
            betas[i] = (float)Math.Min(1 - AlphaBar((double)(i + 1) / count) / AlphaBar((double)i / count), 0.999);
        return betas;

        static double AlphaBar(double t)
        {
            double cosine = Math.Cos((t + 0.008) / 1.008 * Math.PI / 2);
            return cosine * cosine;
        }
    }
}
