using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>How the predicted x0 is kept in range: dynamic thresholding, clip_sample, or neither.</summary>
internal sealed class ClippingConfig
{
    /// <summary>The keys of dynamic thresholding.</summary>
    public static readonly string[] ThresholdKeys = ["thresholding", "dynamic_thresholding_ratio", "sample_max_value"];

    /// <summary>The keys of plain clipping.</summary>
    public static readonly string[] ClipKeys = ["clip_sample", "clip_sample_range"];

    /// <summary>Reads the keys.</summary>
    /// <param name="config">The scheduler's config.</param>
    /// <param name="clipByDefault">The class's default of clip_sample; null for a class without that setting.</param>
    /// <param name="thresholds">Whether the class has dynamic thresholding.</param>
    public ClippingConfig(ModelConfig config, bool? clipByDefault = null, bool thresholds = true)
    {
        bool threshold = thresholds && config.Bool("thresholding", false);
        bool clip = clipByDefault is { } fallback && config.Bool("clip_sample", fallback);
        double ratio = thresholds ? Number(config, "dynamic_thresholding_ratio", 0.995, threshold) : 1,
            maximum = thresholds ? Number(config, "sample_max_value", 1, threshold) : 1;
        if (ratio is < 0 or > 1) throw config.Wrong("dynamic_thresholding_ratio", "between 0 and 1");
        if (maximum <= 0) throw config.Wrong("sample_max_value", "above 0");
        double range = clipByDefault is null ? 1 : Number(config, "clip_sample_range", 1, clip && !threshold);
        if (range <= 0) throw config.Wrong("clip_sample_range", "above 0");
        Instruction = threshold ? new DynamicThresholdInstruction(Slot.Denoised, ratio, maximum)
            : clip ? new ClampInstruction(Slot.Denoised, -range, range)
            : null;
    }

    /// <summary>The instruction that clips <see cref="Slot.Denoised"/>; null where neither is enabled.</summary>
    public SchedulerInstruction? Instruction { get; }

    /// <summary>A number; null is allowed where the setting has no effect.</summary>
    private static double Number(ModelConfig config, string key, double fallback, bool used) => config.IsNull(key) && !used ? fallback
        : config.Double(key, fallback);
}
