using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>What the model was trained to predict (prediction_type).</summary>
internal enum PredictionType
{
    /// <summary>The noise ε.</summary>
    Epsilon,

    /// <summary>The clean sample x0.</summary>
    Sample,

    /// <summary>v = α·ε − σ·x0 (Salimans and Ho, 2022, arXiv:2202.00512).</summary>
    VPrediction,

    /// <summary>The velocity ε − x0 of rectified flow.</summary>
    FlowPrediction,
}

/// <summary>Sample · x + Output · m, with x the current sample and m the model output.</summary>
/// <param name="Sample">Factor of the sample.</param>
/// <param name="Output">Factor of the model output.</param>
public readonly record struct Blend(double Sample, double Output);

/// <summary>x0 and ε from a prediction, for a sample x = α·x0 + σ·ε.</summary>
internal static class Prediction
{
    /// <summary>Reads prediction_type; throws for a value that is not in <paramref name="allowed"/>.</summary>
    public static PredictionType Read(ModelConfig config, params ReadOnlySpan<PredictionType> allowed)
    {
        string name = config.String("prediction_type", "epsilon");
        foreach (var type in allowed)
            if (name == NameOf(type)) return type;
        throw config.Wrong("prediction_type", string.Join(" or ", allowed.ToArray().Select(NameOf)));
    }

    /// <summary>x0. VPrediction needs α² + σ² = 1, FlowPrediction α = 1 − σ.</summary>
    public static Blend Denoised(PredictionType type, double alpha, double sigma) => type switch
    {
        PredictionType.Epsilon => new(1 / alpha, -sigma / alpha),
        PredictionType.Sample => new(0, 1),
        PredictionType.VPrediction => new(alpha, -sigma),
        _ => new(1, -sigma),
    };

    /// <summary>ε. VPrediction needs α² + σ² = 1, FlowPrediction α = 1 − σ.</summary>
    public static Blend Noise(PredictionType type, double alpha, double sigma) => type switch
    {
        PredictionType.Epsilon => new(0, 1),
        PredictionType.Sample => new(1 / sigma, -alpha / sigma),
        PredictionType.VPrediction => new(sigma, alpha),
        _ => new(1, 1 - sigma),
    };

    /// <summary>The name in configs.</summary>
    public static string NameOf(PredictionType type) => type switch
    {
        PredictionType.Epsilon => "epsilon",
        PredictionType.Sample => "sample",
        PredictionType.VPrediction => "v_prediction",
        _ => "flow_prediction",
    };
}
