using System.Globalization;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Measuring;

/// <summary>
/// Ops at the sizes of models, which are larger than tests need: SDXL at 512×512 and 1024×1024, its autoencoder, SD 1.5, the text encoders
/// and the small model.
/// </summary>
public static partial class ModelCases
{
    private static readonly string[] Gemms =
    [
        "1024x640-5120", "1024x2560-640", "1024x640-640", "256x1280-10240", "256x5120-1280", "256x1280-1280", // 512×512
        "4096x640-5120", "4096x2560-640", "4096x640-640", "1024x1280-10240", "1024x5120-1280", "1024x1280-1280", // 1024×1024
        "77x2048-640", "77x2048-1280", "77x768-3072", "77x1280-5120", // prompt, text encoders
        "64x256-2048", "64x1024-256", "16x1280-1280", "2x1280-1280", "1x1280-1280", // small images; time embeddings
    ];

    private static readonly string[] Convolutions =
    [
        "320-320@64x64", "640-640@32x32", "1280-640@32x32", "1280-1280@16x16", "2560-1280@16x16", "320-320@128x128", "640-640@64x64",
            "1280-1280@32x32",
        "512-512@64x64", "512-512@128x128", "256-256@128x128", "256-256@256x256", "128-128@256x256", "64-64@32x32", "128-128@16x16",
            "256-256@8x8",
    ];

    private static readonly string[] OtherConvolutions =
        ["4-320@64x64", "320-4@64x64", "320-320@64x64,s2", "640-640@32x32,s2", "960-640@32x32,k1", "2560-1280@16x16,k1", "4-512@32x32",
            "512-8@64x64", "128-3@256x256", "64-64@32x32,s2"];

    private static readonly string[] SelfAttention =
        ["10x64@1024x1024", "20x64@256x256", "10x64@4096x4096", "20x64@1024x1024", "8x40@1024x1024", "8x40@4096x4096", "8x80@1024x1024",
            "8x128@1024x1024", "8x160@256x256", "1x512@1024x1024", "1x512@4096x4096", "12x64@77x77", "4x64@64x64"];

    private static readonly string[] CrossAttention = ["10x64@1024x77", "20x64@256x77", "10x64@4096x77", "20x64@1024x77", "8x40@4096x77",
        "8x80@1024x77", "8x160@256x77", "4x64@64x77"];
    private static readonly string[] GroupNorms = ["320@64x64", "640@32x32", "1280@16x16", "320@128x128", "512@64x64", "128@256x256",
        "128@512x512"];
    private static readonly string[] LayerNorms = ["640@1024", "1280@256", "640@4096", "1280@1024"];
    private static readonly string[] GatedUnits = ["2560@1024", "5120@256", "2560@4096", "5120@1024"];
    private static readonly string[] QuantizedGemms = ["1024x640-5120", "1024x2560-640", "1024x640-640", "256x1280-10240", "256x5120-1280",
        "256x1280-1280", "4096x640-5120", "1024x1280-10240"];

    /// <summary>Groups of cases by name: op and sizes, for <see cref="Of"/>.</summary>
    public static IReadOnlyDictionary<string, (string Op, string Sizes)[]> Groups { get; } = new Dictionary<string, (string, string)[]>
    {
        ["matmul"] = All(nameof(MatMul), Gemms),
        ["conv3x3"] = All(nameof(Conv2D), Convolutions),
        ["conv-other"] = All(nameof(Conv2D), OtherConvolutions),
        ["attention-self"] = All(nameof(ScaledDotProductAttention), SelfAttention),
        ["attention-cross"] = All(nameof(ScaledDotProductAttention), CrossAttention),
        ["norms"] = [.. All(nameof(GroupNormalization), GroupNorms), .. All(nameof(LayerNormalization), LayerNorms),
            .. All(nameof(GeGlu), GatedUnits)],
        ["int8"] = All(nameof(QuantizedMatMul), QuantizedGemms),
    };

    /// <summary>The sizes of an op.</summary>
    public static IEnumerable<string> SizesOf(string op) =>
        Groups.Values.SelectMany(g => g).Where(c => c.Op == op).Select(c => c.Sizes) is var sizes && sizes.Any()
        ? sizes : throw new ArgumentException($"There are no model sizes for {op}; use --test-cases.");

    /// <summary>
    /// A convolution from <c>IN-OUT@HEIGHTxWIDTH</c>, with <c>,k1</c> or <c>,s2</c> for another kernel than 3×3 or another stride than 1; a
    /// GEMM from <c>ROWSxDEPTH-COLUMNS</c>; attention from <c>HEADSxDEPTH@QUERIESxKEYS</c>; a group norm with SiLU from
    /// <c>CHANNELS@HEIGHTxWIDTH</c>; a layer norm or gated unit from <c>CHANNELS@ROWS</c>.
    /// </summary>
    public static OpCase Of(string op, string sizes, DType weights) => op switch
    {
        nameof(Conv2D) => Convolution(sizes, weights),
        nameof(MatMul) => Gemm(sizes, weights),
        nameof(GatedMatMul) => GatedGemm(sizes, weights),
        nameof(QuantizedMatMul) => QuantizedGemm(sizes),
        nameof(ScaledDotProductAttention) => AttentionCase(sizes),
        nameof(GroupNormalization) => Norm(sizes, new GroupNormalization(Groups: 32, 1e-5, Silu: true)),
        nameof(LayerNormalization) => Norm(sizes, new LayerNormalization(1e-5)),
        nameof(GeGlu) => GatedUnit(sizes),
        _ => throw new ArgumentException($"There are no sizes for {op}; use --test-cases."),
    };

    private static OpCase Convolution(string sizes, DType weights)
    {
        var match = ConvolutionSizes().Match(sizes);
        int[] n = Numbers(match, sizes, "320-640@64x64 or 320-640@64x64,k1,s2");
        int kernel = match.Groups[5].Success ? n[4] : 3, stride = match.Groups[6].Success ? n[5] : 1, padding = (kernel - 1) / 2;
        return new(sizes, new Conv2D(stride, padding, padding),
            [Noise([1, n[2], n[3], n[0]], 1), Weight([n[1], n[0], kernel, kernel], 2, 1 / Math.Sqrt(kernel * kernel * n[0]), weights),
                Weight([n[1]], 3, 1, weights)], Tolerance: 0);
    }

    private static OpCase Gemm(string sizes, DType weights)
    {
        int[] n = Numbers(GemmSizes().Match(sizes), sizes, "1024x640-5120");
        return new(sizes, new MatMul(),
            [Noise([n[0], n[1]], 1), Weight([n[2], n[1]], 2, 1 / Math.Sqrt(n[1]), weights), Weight([n[2]], 3, 1, weights)], Tolerance: 0);
    }

    private static OpCase GatedGemm(string sizes, DType weights)
    {
        int[] n = Numbers(GemmSizes().Match(sizes), sizes, "1024x640-2560");
        return new(sizes, new GatedMatMul(),
            [Noise([n[0], n[1]], 1), Weight([2 * n[2], n[1]], 2, 1 / Math.Sqrt(n[1]), weights), Weight([2 * n[2]], 3, 1, weights)],
                Tolerance: 0);
    }

    private static OpCase QuantizedGemm(string sizes)
    {
        int[] n = Numbers(GemmSizes().Match(sizes), sizes, "1024x640-5120");
        return new(sizes, new QuantizedMatMul(),
            [Noise([n[0], n[1]], 1), new([n[2], n[1]], i => Math.Clamp(Math.Round(40 * RandomNumbers.At(2, i)), -127, 127), DType.Int8),
                new([n[2]], _ => 1 / (40 * Math.Sqrt(n[1]))), Noise([n[2]], 3)], Tolerance: 0);
    }

    private static OpCase AttentionCase(string sizes)
    {
        int[] n = Numbers(AttentionSizes().Match(sizes), sizes, "10x64@1024x77");
        return new(sizes, new ScaledDotProductAttention(n[0]),
            [Noise([1, n[2], n[0] * n[1]], 1), Noise([1, n[3], n[0] * n[1]], 2), Noise([1, n[3], n[0] * n[1]], 3)], Tolerance: 0);
    }

    private static OpCase Norm(string sizes, Op op)
    {
        int[] n = Numbers(RowSizes().Match(sizes), sizes, "320@64x64 or 640@1024");
        Shape x = n[2] > 0 ? [1, n[1], n[2], n[0]] : [n[1], n[0]];
        return new(sizes, op, [Noise(x, 1), Noise([n[0]], 2), Noise([n[0]], 3)], Tolerance: 0);
    }

    private static OpCase GatedUnit(string sizes)
    {
        int[] n = Numbers(RowSizes().Match(sizes), sizes, "2560@1024");
        return new(sizes, new GeGlu(), [Noise([n[1], 2 * n[0]], 1)], Tolerance: 0);
    }

    private static (string, string)[] All(string op, string[] sizes) => [.. sizes.Select(s => (op, s))];

    private static CaseTensor Noise(Shape shape, int seed) => new(shape, i => RandomNumbers.At(seed, i));

    /// <summary>Numbers that every storage type represents exactly, so that results can be compared across types.</summary>
    private static CaseTensor Weight(Shape shape, int seed, double scale, DType dtype) =>
        new(shape, i => BFloat16Bits.Widen(BFloat16Bits.Round((float)(scale * RandomNumbers.At(seed, i)))), dtype);

    private static int[] Numbers(Match match, string sizes, string example) => match.Success
        ? [.. match.Groups.Values.Skip(1).Select(g => g.Success ? int.Parse(g.Value, CultureInfo.InvariantCulture) : 0)]
        : throw new ArgumentException($"sizes are {sizes}; they must be like {example}.");

    [GeneratedRegex(@"^(\d+)-(\d+)@(\d+)x(\d+)(?:,k(\d+))?(?:,s(\d+))?$")]
    private static partial Regex ConvolutionSizes();

    [GeneratedRegex(@"^(\d+)x(\d+)-(\d+)$")]
    private static partial Regex GemmSizes();

    [GeneratedRegex(@"^(\d+)x(\d+)@(\d+)x(\d+)$")]
    private static partial Regex AttentionSizes();

    [GeneratedRegex(@"^(\d+)@(\d+)(?:x(\d+))?$")]
    private static partial Regex RowSizes();
}
