using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Settings that are one word of a few.</summary>
internal static class ConfigChoice
{
    /// <summary>Which of the words stands there, by its place in the list; the first is the default.</summary>
    public static int Choice(this ModelConfig config, string key, params ReadOnlySpan<string> words)
    {
        int choice = words.IndexOf(config.String(key, words[0]));
        return choice >= 0 ? choice : throw config.Wrong(key, $"one of {string.Join(", ", words.ToArray())}");
    }
}
