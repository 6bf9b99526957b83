namespace ILGpuDiffusion.Compute.Devices;

/// <summary>How the work items of a sub-group (CUDA: warp) exchange values without memory.</summary>
internal enum SubGroupKind
{
    /// <summary>Not supported.</summary>
    None,

    /// <summary>shfl.sync.</summary>
    Cuda,

    /// <summary>cl_khr_subgroups and cl_khr_subgroup_shuffle.</summary>
    Khronos,

    /// <summary>cl_intel_subgroups.</summary>
    Intel,
}

/// <summary>How a device computes a dot product of four int8 with an int32 accumulator in one instruction.</summary>
internal enum IntegerDotKind
{
    /// <summary>Not supported.</summary>
    None,

    /// <summary>dp4a.</summary>
    Cuda,

    /// <summary>cl_khr_integer_dot_product, of packed bytes.</summary>
    Khronos,

    /// <summary>cl_arm_integer_dot_product_accumulate_int8.</summary>
    Arm,
}

/// <summary>Kind of a device's matrix instructions.</summary>
internal enum MatrixUnitKind
{
    /// <summary>None.</summary>
    None,

    /// <summary>Tensor cores.</summary>
    Cuda,

    /// <summary>cl_intel_subgroup_matrix_multiply_accumulate with sub-groups of 8.</summary>
    Intel8,

    /// <summary>cl_intel_subgroup_matrix_multiply_accumulate with sub-groups of 16.</summary>
    Intel16,

    /// <summary>WMMA of AMD's gfx11, through compiler builtins.</summary>
    Rdna3,

    /// <summary>WMMA of AMD's gfx12.</summary>
    Rdna4,
}

/// <summary>Operand types of a device's matrix instructions.</summary>
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

    /// <summary>Int8, with int32 sums.</summary>
    Int8 = 8,
}

/// <summary>
/// Optional features of a device. CUDA devices have those of their architecture; OpenCL extensions count only if a probe on the device gave
/// correct results.
/// </summary>
internal sealed record GpuFeatures
{
    /// <summary>The OpenCL C standard of kernels that use no extension.</summary>
    public const string PlainStandard = "CL1.2";

    /// <summary>No optional features.</summary>
    public static GpuFeatures None { get; } = new();

    /// <summary>How sub-groups exchange values.</summary>
    public SubGroupKind SubGroups { get; init; }

    /// <summary>
    /// Work items per sub-group as probed; kernels query it again, since some compilers choose it per kernel. 0 if there are none.
    /// </summary>
    public int SubGroupSize { get; init; }

    /// <summary>The four-way int8 dot product.</summary>
    public IntegerDotKind Dot { get; init; }

    /// <summary>Kind of the matrix instructions.</summary>
    public MatrixUnitKind MatrixUnit { get; init; }

    /// <summary>Operand types of matrix instructions that the kernels can use.</summary>
    public MatrixTypes Matrix { get; init; }

    /// <summary>OpenCL C standard of the device's kernels: extensions require more than <see cref="PlainStandard"/>.</summary>
    public string Standard { get; init; } = PlainStandard;

    /// <summary>Features of a CUDA architecture.</summary>
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

    /// <summary>The features in plain words, as shown by <c>ilgd devices</c>.</summary>
    public IEnumerable<string> Descriptions
    {
        get
        {
            if (SubGroupSize > 0) yield return $"{(SubGroups == SubGroupKind.Cuda ? "warps" : "sub-groups")} of {SubGroupSize}";
            if (Dot != IntegerDotKind.None) yield return "int8 dot products";
            if (Matrix != MatrixTypes.None) yield return $"matrix instructions ({string.Join(", ", MatrixTypeNames)})";
        }
    }

    /// <summary>The part that generated code depends on.</summary>
    public string CodeIdentity => $"{SubGroups} {Dot} {MatrixUnit} {(int)Matrix} {Standard}";

    private IEnumerable<string> MatrixTypeNames =>
        new[] { (MatrixTypes.Float16, "fp16"), (MatrixTypes.BFloat16, "bf16"), (MatrixTypes.TensorFloat32, "tf32"),
            (MatrixTypes.Int8, "int8") }
        .Where(t => Matrix.HasFlag(t.Item1)).Select(t => t.Item2);
}
