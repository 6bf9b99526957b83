using System.Globalization;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Perf;

/// <summary>Ops at the sizes that models give them: larger than tests need.</summary>
internal static partial class ModelCases
{
    private static readonly string[] Convolutions =
        ["320-320@64x64", "640-640@32x32", "1280-1280@16x16", "2560-1280@16x16", "512-512@64x64", "256-256@128x128", "128-128@256x256"];

    private static readonly string[] OtherConvolutions =
        ["4-320@64x64", "320-4@64x64", "128-3@256x256", "512-8@64x64", "320-320@64x64,s2", "640-640@32x32,s2", "960-640@32x32,k1", "1280-1280@8x8"];

    private static readonly string[] Products =
        ["1024x640-640", "1024x640-5120", "1024x2560-640", "256x1280-1280", "256x1280-10240", "256x5120-1280", "77x2048-1280", "77x768-3072", "77x1280-5120", "64x1024-256", "16x1280-1280", "2x1280-1280", "1x1280-1280"];

    private static readonly string[] Attentions =
        ["10x64@1024x1024", "20x64@256x256", "10x64@1024x77", "20x64@256x77", "10x64@4096x77", "8x40@1024x1024", "8x40@4096x77", "8x80@1024x1024", "8x160@256x256", "1x512@1024x1024", "12x64@77x77", "4x64@64x64"];

    /// <summary>The sizes of an op.</summary>
    public static IEnumerable<string> SizesOf(string op) => op switch
    {
        nameof(Conv2D) => [.. Convolutions, .. OtherConvolutions],
        nameof(MatMul) or nameof(QuantizedMatMul) => Products,
        nameof(Attention) => Attentions,
        _ => throw new ArgumentException($"There are no model sizes for {op} yet; take --test-cases."),
    };

    /// <summary>
    /// A convolution from <c>IN-OUT@HEIGHTxWIDTH</c>, with <c>,k1</c> or <c>,s2</c> for another kernel than 3×3 or another stride than 1; a product from <c>ROWSxDEPTH-COLUMNS</c>;
    /// attention from <c>HEADSxDEPTH@QUERIESxKEYS</c>.
    /// </summary>
    public static OpCase Of(string op, string sizes, DType weights) => op switch
    {
        nameof(Conv2D) => Convolution(sizes, weights),
        nameof(MatMul) => Product(sizes, weights),
        nameof(QuantizedMatMul) => QuantizedProduct(sizes),
        nameof(Attention) => AttentionCase(sizes),
        _ => throw new ArgumentException($"There are no sizes for {op}; take --test-cases."),
    };

    private static OpCase Convolution(string sizes, DType weights)
    {
        var match = ConvolutionSizes().Match(sizes);
        int[] n = Numbers(match, sizes, "320-640@64x64 or 320-640@64x64,k1,s2");
        int kernel = match.Groups[5].Success ? n[4] : 3, stride = match.Groups[6].Success ? n[5] : 1, padding = (kernel - 1) / 2;
        return new(sizes, new Conv2D(stride, padding, padding),
            [CaseTensor.Normal([1, n[2], n[3], n[0]], 1), CaseTensor.Normal([n[1], n[0], kernel, kernel], 2, 1 / Math.Sqrt(kernel * kernel * n[0]), weights), CaseTensor.Normal([n[1]], 3, dtype: weights)], Tolerance: 0);
    }

    private static OpCase Product(string sizes, DType weights)
    {
        int[] n = Numbers(ProductSizes().Match(sizes), sizes, "1024x640-5120");
        return new(sizes, new MatMul(), [CaseTensor.Normal([n[0], n[1]], 1), CaseTensor.Normal([n[2], n[1]], 2, 1 / Math.Sqrt(n[1]), weights), CaseTensor.Normal([n[2]], 3, dtype: weights)], Tolerance: 0);
    }

    private static OpCase QuantizedProduct(string sizes)
    {
        int[] n = Numbers(ProductSizes().Match(sizes), sizes, "1024x640-5120");
        return new(sizes, new QuantizedMatMul(),
            [CaseTensor.Normal([n[0], n[1]], 1), new([n[2], n[1]], i => (i * 7919 + i / 3) % 255 - 127, DType.Int8), CaseTensor.Normal([n[2]], 2, 0.01), CaseTensor.Normal([n[2]], 3)], Tolerance: 0);
    }

    private static OpCase AttentionCase(string sizes)
    {
        int[] n = Numbers(AttentionSizes().Match(sizes), sizes, "10x64@1024x77");
        return new(sizes, new Attention(n[0]), [CaseTensor.Normal([1, n[2], n[0] * n[1]], 1), CaseTensor.Normal([1, n[3], n[0] * n[1]], 2), CaseTensor.Normal([1, n[3], n[0] * n[1]], 3)], Tolerance: 0);
    }

    private static int[] Numbers(Match match, string sizes, string example) => match.Success
        ? [.. match.Groups.Values.Skip(1).Select(g => g.Success ? int.Parse(g.Value, CultureInfo.InvariantCulture) : 0)]
        : throw new ArgumentException($"sizes are {sizes}; they must be like {example}.");

    [GeneratedRegex(@"^(\d+)-(\d+)@(\d+)x(\d+)(?:,k(\d+))?(?:,s(\d+))?$")]
    private static partial Regex ConvolutionSizes();

    [GeneratedRegex(@"^(\d+)x(\d+)-(\d+)$")]
    private static partial Regex ProductSizes();

    [GeneratedRegex(@"^(\d+)x(\d+)@(\d+)x(\d+)$")]
    private static partial Regex AttentionSizes();
}
