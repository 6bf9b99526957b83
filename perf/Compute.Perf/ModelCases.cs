using System.Globalization;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Perf;

/// <summary>Ops at the sizes that models give them: larger than tests need.</summary>
internal static partial class ModelCases
{
    private static readonly string[] Convolutions =
        ["320-320@64x64", "640-640@32x32", "1280-1280@16x16", "2560-1280@16x16", "512-512@64x64", "256-256@128x128", "128-128@256x256"];

    /// <summary>The sizes of an op.</summary>
    public static IEnumerable<OpCase> Of(string op, DType weights) => op switch
    {
        nameof(Conv2D) => Convolutions.Select(s => Convolution(s, weights)),
        _ => throw new ArgumentException($"There are no model sizes for {op} yet; take --test-cases."),
    };

    /// <summary>A padded 3×3 convolution from <c>IN-OUT@HEIGHTxWIDTH</c>.</summary>
    public static OpCase Convolution(string sizes, DType weights)
    {
        var match = Sizes().Match(sizes);
        if (!match.Success) throw new ArgumentException($"shape is {sizes}; it must be like 320-640@64x64.");
        int[] n = [.. match.Groups.Values.Skip(1).Select(g => int.Parse(g.Value, CultureInfo.InvariantCulture))];
        return new(sizes, new Conv2D(1, 1, 1),
            [CaseTensor.Normal([1, n[2], n[3], n[0]], 1), CaseTensor.Normal([n[1], n[0], 3, 3], 2, 1 / Math.Sqrt(9 * n[0]), weights), CaseTensor.Normal([n[1]], 3, dtype: weights)], Tolerance: 0);
    }

    [GeneratedRegex(@"^(\d+)-(\d+)@(\d+)x(\d+)$")]
    private static partial Regex Sizes();
}
