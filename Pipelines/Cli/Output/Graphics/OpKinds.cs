using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>How images name and colour kinds of op, and shorten the paths of layers.</summary>
internal static class OpKinds
{
    /// <summary>A part of a path in as few letters as still say what it is.</summary>
    public static string Short(string path)
    {
        foreach (var (full, letters) in Abbreviations) path = path.Replace(full, letters, StringComparison.Ordinal);
        return path;
    }

    private static readonly (string, string)[] Abbreviations =
        [("transformer_blocks", "blocks"), ("down_blocks", "down"), ("up_blocks", "up"), ("mid_block", "mid"), ("attentions", "attn"),
            ("resnets", "res"), ("upsamplers", "upsample"), ("downsamplers", "downsample"), ("time_embedding", "time")];

    /// <summary>As legends name it.</summary>
    public static string Label(this OpKind kind) => kind switch
    {
        OpKind.MatrixProduct => "products",
        OpKind.Convolution => "convolutions",
        OpKind.Attention => "attention",
        OpKind.Normalization => "normalisation",
        OpKind.Elementwise => "elementwise",
        _ => "movement, look-up",
    };

    /// <summary>The style sheet's class.</summary>
    public static string Class(this OpKind kind) => $"k{(int)kind}";

    /// <summary>
    /// The parts of every step's path. What nearly all steps have in common in front, such as a decoder's name, is left out.
    /// </summary>
    public static string[][] Paths(IEnumerable<PlanReportStep> steps)
    {
        string[][] paths = [.. steps.Select(Parts)];
        string? common = paths.Where(p => p.Length > 1).GroupBy(p => p[0]).Where(g => 10 * g.Count() >= 9 * paths.Length).Select(g => g.Key)
            .FirstOrDefault();
        return [.. paths.Select(p => p.Length > 1 && p[0] == common ? p[1..] : p)];
    }

    /// <summary>
    /// The parts of a layer's path, numbers together with their list: <c>down_blocks.0</c>, <c>attentions.1</c>, <c>proj_in</c>.
    /// </summary>
    private static string[] Parts(PlanReportStep step)
    {
        var parts = new List<string>();
        foreach (string word in step.Layer.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            if (parts.Count > 0 && char.IsAsciiDigit(word[0])) parts[^1] += "." + word;
            else parts.Add(word);
        }

        return [.. parts];
    }
}
