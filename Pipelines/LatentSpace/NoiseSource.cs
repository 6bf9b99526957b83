namespace ILGpuDiffusion.Pipelines.LatentSpace;

/// <summary>Fills a span with the next standard normal numbers, in NCHW order.</summary>
internal delegate void NoiseSource(Span<float> values);
