using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Reads settings whose value is one of a fixed set of strings.</summary>
internal static class ConfigChoice
{
    /// <summary>Index of the setting's value in <paramref name="words"/>; the first one is the default.</summary>
    public static int Choice(this ModelConfig config, string key, params ReadOnlySpan<string> words)
    {
        int choice = words.IndexOf(config.String(key, words[0]));
        return choice >= 0 ? choice : throw config.Wrong(key, $"one of {string.Join(", ", words.ToArray())}");
    }
}
