namespace ILGpuDiffusion.Compute.Devices;

/// <summary>How the work items of a sub-group (CUDA: warp) exchange values without going through memory.</summary>
internal enum SubGroupKind
{
    /// <summary>They cannot.</summary>
    None,

    /// <summary>shfl.sync.</summary>
    Cuda,

    /// <summary>cl_khr_subgroups and cl_khr_subgroup_shuffle.</summary>
    Khronos,

    /// <summary>cl_intel_subgroups.</summary>
    Intel,
}

/// <summary>How a device multiplies four pairs of bytes and adds the products in one instruction.</summary>
internal enum IntegerDotKind
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>dp4a.</summary>
    Cuda,

    /// <summary>cl_khr_integer_dot_product, of packed bytes.</summary>
    Khronos,

    /// <summary>cl_arm_integer_dot_product_accumulate_int8.</summary>
    Arm,
}

/// <summary>Whose matrix instructions a device has.</summary>
internal enum MatrixUnitKind
{
    /// <summary>Nobody's.</summary>
    None,

    /// <summary>Tensor cores.</summary>
    Cuda,

    /// <summary>cl_intel_subgroup_matrix_multiply_accumulate with sub-groups of 8.</summary>
    Intel8,

    /// <summary>cl_intel_subgroup_matrix_multiply_accumulate with sub-groups of 16.</summary>
    Intel16,

    /// <summary>WMMA of AMD's gfx11, which the compiler has functions for.</summary>
    Rdna3,

    /// <summary>WMMA of AMD's gfx12.</summary>
    Rdna4,
}

/// <summary>Types that a device has matrix instructions for.</summary>
[Flags]
internal enum MatrixTypes
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>IEEE 16-bit floats.</summary>
    Float16 = 1,

    /// <summary>bfloat16.</summary>
    BFloat16 = 2,

    /// <summary>float32 rounded to 10 bits of mantissa.</summary>
    TensorFloat32 = 4,

    /// <summary>Bytes, with int32 sums.</summary>
    Int8 = 8,
}

/// <summary>
/// What a device can do beside plain arithmetic. CUDA devices have what their architecture has; of OpenCL extensions those count that were tried on the
/// device and gave the right numbers.
/// </summary>
internal sealed record GpuFeatures
{
    /// <summary>The standard that plain texts are written for.</summary>
    public const string PlainStandard = "CL1.2";

    /// <summary>Plain arithmetic alone.</summary>
    public static GpuFeatures None { get; } = new();

    /// <summary>How sub-groups exchange values.</summary>
    public SubGroupKind SubGroups { get; init; }

    /// <summary>Work items of a sub-group as they were seen; kernels ask again, since some compilers choose per kernel. 0 where there are none.</summary>
    public int SubGroupSize { get; init; }

    /// <summary>How bytes are multiplied and added four at a time.</summary>
    public IntegerDotKind Dot { get; init; }

    /// <summary>Whose matrix instructions it has.</summary>
    public MatrixUnitKind MatrixUnit { get; init; }

    /// <summary>Types of matrix instructions that our kernels can use.</summary>
    public MatrixTypes Matrix { get; init; }

    /// <summary>OpenCL C that the device's texts are compiled as: extensions ask for more than <see cref="PlainStandard"/>.</summary>
    public string Standard { get; init; } = PlainStandard;

    /// <summary>What a CUDA architecture has.</summary>
    public static GpuFeatures Cuda(int major, int minor)
    {
        int number = 10 * major + minor;
        return new()
        {
            SubGroups = SubGroupKind.Cuda,
            SubGroupSize = 32,
            Dot = number >= 61 ? IntegerDotKind.Cuda : IntegerDotKind.None,
            MatrixUnit = number >= 75 ? MatrixUnitKind.Cuda : MatrixUnitKind.None,
            Matrix = number >= 80 ? MatrixTypes.Float16 | MatrixTypes.BFloat16 | MatrixTypes.TensorFloat32 | MatrixTypes.Int8
                : number >= 75 ? MatrixTypes.Float16 | MatrixTypes.Int8
                : MatrixTypes.None,
        };
    }

    /// <summary>The same in plain words, as <c>ilgd devices</c> shows it.</summary>
    public IEnumerable<string> Descriptions
    {
        get
        {
            if (SubGroupSize > 0) yield return $"{(SubGroups == SubGroupKind.Cuda ? "warps" : "sub-groups")} of {SubGroupSize}";
            if (Dot != IntegerDotKind.None) yield return "int8 dot products";
            if (Matrix != MatrixTypes.None) yield return $"matrix instructions ({string.Join(", ", MatrixTypeNames)})";
        }
    }

    /// <summary>What generated code depends on.</summary>
    public string CodeIdentity => $"{SubGroups} {Dot} {MatrixUnit} {(int)Matrix} {Standard}";

    private IEnumerable<string> MatrixTypeNames => new[] { (MatrixTypes.Float16, "fp16"), (MatrixTypes.BFloat16, "bf16"), (MatrixTypes.TensorFloat32, "tf32"), (MatrixTypes.Int8, "int8") }
        .Where(t => Matrix.HasFlag(t.Item1)).Select(t => t.Item2);
}
