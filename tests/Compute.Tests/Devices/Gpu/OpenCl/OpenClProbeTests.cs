using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Extensions of OpenCL devices are used only if they work, and the result of probing is cached.</summary>
public sealed class OpenClProbeTests : IDisposable
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"ilgd-probe-{Guid.NewGuid():n}");

    public void Dispose()
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Try_OnADeviceWithExtensions_FindsThem()
    {
        var (api, info) = SoftLanes.Driver();
        var probed = OpenClProbe.Try(api, info);
        Assert.Empty(probed.Failures);
        Assert.Equal((SubGroupKind.Khronos, 32, IntegerDotKind.Khronos),
            (probed.Features.SubGroups, probed.Features.SubGroupSize, probed.Features.Dot));
        Assert.Equal(["sub-groups of 32", "int8 dot products"], probed.Features.Descriptions);
    }

    [Theory, InlineData("Intel8", 8), InlineData("Intel16", 16), InlineData("Rdna3", 32), InlineData("Rdna4", 32)]
    public void Try_OnADeviceWithMatrixInstructions_FindsThem(string unit, int lanes)
    {
        var (api, info) = SoftLanes.Driver(unit: Enum.Parse<MatrixUnitKind>(unit));
        var probed = OpenClProbe.Try(api, info);
        Assert.Empty(probed.Failures);
        Assert.Equal((unit, MatrixTypes.Float16 | MatrixTypes.BFloat16 | MatrixTypes.Int8),
            (probed.Features.MatrixUnit.ToString(), probed.Features.Matrix));
        Assert.Equal([$"sub-groups of {lanes}", "int8 dot products", "matrix instructions (fp16, bf16, int8)"],
            probed.Features.Descriptions);
    }

    /// <summary>A device whose operands or sums have another layout than kernels assume, or that lacks the functions.</summary>
    [Theory]
    [InlineData("Intel8", "intel_sub_group_f16_f16_matrix_mad_k16(ilgd_words(a), ilgd_words(b)",
        "intel_sub_group_f16_f16_matrix_mad_k16(ilgd_words(b), ilgd_words(a)",
            "cl_intel_subgroup_matrix_multiply_accumulate (fp16) does not work: it gives wrong sums")]
    [InlineData("Intel16", "(short)(w).field_6, (short)(w).field_7", "(short)(w).field_7, (short)(w).field_6",
        "cl_intel_subgroup_matrix_multiply_accumulate (fp16) does not work: it gives wrong sums")]
    [InlineData("Intel16", "get_sub_group_local_id())", "get_sub_group_local_id() ^ 1)",
        "cl_intel_subgroup_matrix_multiply_accumulate (fp16) does not work: its sub-groups are not of 16 neighbours")]
    [InlineData("Rdna3", "parts_.field_4 = sums_.s4", "parts_.field_4 = sums_.s5",
        "WMMA of gfx1100 (fp16) does not work: it gives wrong sums")]
    [InlineData("Rdna4", "__builtin_amdgcn_wmma_f32_16x16x16_f16_w32_gfx12(", "__builtin_amdgcn_unknown(",
        "WMMA of gfx1201 (fp16) does not work: clBuildProgram fails with CL_BUILD_PROGRAM_FAILURE (-11)")]
    public void Try_WhereMatricesLieOtherwise_SaysSoAndDoesWithout(string unit, string right, string wrong, string failure)
    {
        var (api, info) = SoftLanes.Driver(
            text => !text.Contains("ilgd_matrix_fp16(sums", StringComparison.Ordinal) ? text
                : text.Contains(right, StringComparison.Ordinal) ? text.Replace(right, wrong, StringComparison.Ordinal)
                    : throw new InvalidOperationException($"{right} is not in the text"),
            Enum.Parse<MatrixUnitKind>(unit));
        var probed = OpenClProbe.Try(api, info);
        Assert.Equal([failure], probed.Failures);
        Assert.Equal((unit, MatrixTypes.BFloat16 | MatrixTypes.Int8), (probed.Features.MatrixUnit.ToString(), probed.Features.Matrix));
    }

    [Theory]
    [InlineData("Intel(R) Corporation", "Intel(R) Arc(TM) A770 Graphics", true, 8, "Intel8"),
        InlineData("Intel(R) Corporation", "Intel(R) Arc(TM) B580 Graphics", true, 16, "Intel16")]
    [InlineData("Intel(R) Corporation", "Intel(R) UHD Graphics 770", false, 0, "None"),
        InlineData("Intel(R) Corporation", "a later one", true, 32, "None")]
    [InlineData("Advanced Micro Devices, Inc.", "gfx1151", false, 0, "Rdna3"),
        InlineData("Advanced Micro Devices, Inc.", "gfx1200", false, 0, "Rdna4")]
    [InlineData("Advanced Micro Devices, Inc.", "gfx1030", false, 0, "None"), InlineData("Mesa", "gfx1100", false, 0, "None")]
    public void Claimed_VendorAndExtensions_DecideTheMatrixUnit(string vendor, string name, bool intel, int smallest, string unit)
    {
        var (_, info) = SoftLanes.Driver();
        info = info with
        {
            Vendor = vendor,
            Name = name,
            Extensions = intel ? [OpenClMatrixProbe.IntelExtension, "cl_arm_matrix_multiply"] : [],
            SmallestSubGroup = smallest
        };
        Assert.Equal(unit, OpenClMatrixProbe.Claimed(info).ToString());
        Assert.Equal(!intel ? [] : unit == "None" ? [$"{OpenClMatrixProbe.IntelExtension} (not used)", "cl_arm_matrix_multiply (not used)"]
            : ["cl_arm_matrix_multiply (not used)"], info.UnusedExtensions);
    }

    [Theory]
    [InlineData("sub_group_shuffle_xor(value, (uint)(distance))", "(value)", "cl_khr_subgroup_shuffle does not work: it gives wrong sums")]
    [InlineData("(int)get_max_sub_group_size()", "48", "cl_khr_subgroup_shuffle does not work: a sub-group has 48 work items")]
    [InlineData("(sum) + dot_4x8packed_ss_int", "dot_4x8packed_ss_int", "cl_khr_integer_dot_product does not work: it gives wrong sums")]
    [InlineData("dot_4x8packed_ss_int((uint)(a), (uint)(b))", "unknown(a)",
        "cl_khr_integer_dot_product does not work: clBuildProgram fails with CL_BUILD_PROGRAM_FAILURE (-11)")]
    public void Try_WhereAnExtensionFails_SaysSoAndDoesWithout(string right, string wrong, string failure)
    {
        var (api, info) = SoftLanes.Driver(text =>
            text.Contains(right, StringComparison.Ordinal) ? text.Replace(right, wrong, StringComparison.Ordinal)
                : throw new InvalidOperationException($"{right} is not in the text"));
        var probed = OpenClProbe.Try(api, info);
        Assert.Equal([failure], probed.Failures);
        bool subGroups = failure.Contains("sub", StringComparison.Ordinal);
        Assert.Equal((subGroups ? SubGroupKind.None : SubGroupKind.Khronos, subGroups ? IntegerDotKind.Khronos : IntegerDotKind.None),
            (probed.Features.SubGroups, probed.Features.Dot));
    }

    [Fact]
    public void Try_OnADriverWithoutThem_BelievesNoClaim()
    {
        var (_, info) = SoftLanes.Driver();
        var probed = OpenClProbe.Try(OpenClLibrary.TryLoad(out _)!,
            info with { Extensions = [.. info.Extensions, "cl_intel_subgroups", "cl_arm_integer_dot_product_accumulate_int8"] });
        Assert.Equal(GpuFeatures.None, probed.Features);
        Assert.Equal(4, probed.Failures.Count);
    }

    [Fact]
    public void Of_InASecondProcess_AsksNoDevice()
    {
        var (driver, info) = SoftLanes.Driver();
        var (api, spy) = DriverSpy.Watch(driver);
        var first = OpenClProbe.Of(api, info, new ArtifactCache(folder));
        Assert.NotEmpty(spy.Calls);
        Assert.Empty(spy.Live);
        spy.Calls.Clear();
        var second = OpenClProbe.Of(api, info, new ArtifactCache(folder));
        Assert.Empty(spy.Calls);
        Assert.Equal((first.Features, first.Failures.Count), (second.Features, second.Failures.Count));
        OpenClProbe.Of(api, info with { Driver = "another" }, new ArtifactCache(folder));
        Assert.NotEmpty(spy.Calls);
    }

    [Fact]
    public void Of_WithExtensionsOff_TriesNothingAndSaysSo()
    {
        var (driver, info) = SoftLanes.Driver();
        var (api, spy) = DriverSpy.Watch(driver);
        var probed = OpenClProbe.Of(api, info, new ArtifactCache(folder), "OFF");
        Assert.Equal((GpuFeatures.None, "its extensions are not used (ILGPUDIFFUSION_OPENCL_EXTENSIONS=off)"),
            (probed.Features, Assert.Single(probed.Failures)));
        var wrong = Assert.Throws<DeviceException>(() => OpenClProbe.Of(api, info, new ArtifactCache(folder), "no"));
        Assert.Equal("ILGPUDIFFUSION_OPENCL_EXTENSIONS is 'no'; it must be 'off', or not set.", wrong.Message);
        Assert.Empty(spy.Calls);
    }

    [Fact]
    public void Of_ADeviceWithoutSuchExtensions_TriesNothing()
    {
        var (driver, info) = SoftLanes.Driver();
        var (api, spy) = DriverSpy.Watch(driver);
        Assert.Equal(GpuFeatures.None, OpenClProbe.Of(api, info with { Extensions = [] }, new ArtifactCache(folder)).Features);
        Assert.Empty(spy.Calls);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void Try_WithEachCallFailing_LeavesNothingBehind()
    {
        var (driver, info) = SoftLanes.Driver();
        for (int call = 1; ; call++)
        {
            var (api, spy) = DriverSpy.Watch(driver);
            spy.FailAt = call;
            var probed = OpenClProbe.Try(api, info);
            Assert.Empty(spy.Live);
            if (spy.Failed is null) break;
            if (!spy.Failed.StartsWith("Release", StringComparison.Ordinal)) Assert.Single(probed.Failures);
        }
    }

    [Theory]
    [InlineData(6, 0, false, ""), InlineData(6, 1, true, ""), InlineData(7, 5, true, "Float16, Int8")]
    [InlineData(8, 0, true, "Float16, BFloat16, TensorFloat32, Int8")]
    public void Cuda_OfAnArchitecture_HasItsFeatures(int major, int minor, bool dot, string matrix)
    {
        var features = GpuTarget.Cuda(major, minor).Features;
        Assert.Equal((SubGroupKind.Cuda, 32, dot, matrix.Length > 0 ? matrix : "None"),
            (features.SubGroups, features.SubGroupSize, features.Dot == IntegerDotKind.Cuda, features.Matrix.ToString()));
    }

    [Fact]
    public void CodeIdentity_OtherFeatures_Differs() =>
        Assert.NotEqual(GpuTarget.OpenClCpu().CodeIdentity,
            (GpuTarget.OpenClCpu() with { Features = new() { SubGroups = SubGroupKind.Intel } }).CodeIdentity);
}
