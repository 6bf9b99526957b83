using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Cases;

/// <summary>
/// An OpenCL driver that claims to have sub-groups, fast dot products and some device's matrix instructions: kernels that use them get
/// their definitions in plain OpenCL C (SoftLanes.cl, SoftMatrices.cl) in front of their text. So code for such devices runs on any
/// processor, text and all, and reads of local memory that lack a barrier give poison.
/// </summary>
public partial class SoftLanes : DispatchProxy
{
    private static readonly string Lanes = Read("SoftLanes.cl"), Matrices = Read("SoftMatrices.cl");
    private object inner = null!;
    private int size = WarpSize;

    private const int WarpSize = 32;

    /// <summary>Changes a text before definitions are added; tests plant mistakes with it.</summary>
    public Func<string, string> Plant { get; set; } = text => text;

    /// <summary>Opens such a device for models, with matrix instructions of sub-groups.</summary>
    /// <param name="unit">Whose: <c>Intel8</c>, <c>Intel16</c>, <c>Rdna3</c> or <c>Rdna4</c>.</param>
    /// <param name="built">Receives the text of each program.</param>
    public static Device OpenForModels(string unit, Action<string> built) => Open(new Translator(), text =>
    {
        built(text);
        return text;
    }, Enum.Parse<MatrixUnitKind>(unit));

    /// <summary>
    /// A device of the machine's driver that pretends to be a GPU with all features; skips the test where there is no driver.
    /// </summary>
    /// <param name="artifacts">The kernel compiler.</param>
    /// <param name="plant">Changes texts.</param>
    /// <param name="unit">Whose matrix instructions it pretends to have. CUDA's are not tried, since no OpenCL device has them.</param>
    internal static OpenClDevice Open(IArtifactSource artifacts, Func<string, string>? plant = null,
        MatrixUnitKind unit = MatrixUnitKind.Cuda)
    {
        var (api, info) = Driver(plant, unit);
        var features = OpenClProbe.Try(api, info).Features;
        if (unit == MatrixUnitKind.Cuda)
            features = features with
            {
                MatrixUnit = unit,
                Matrix = MatrixTypes.Float16 | MatrixTypes.BFloat16 | MatrixTypes.TensorFloat32 | MatrixTypes.Int8,
            };
        return new OpenClDevice(api, info with { Features = features }, 0, artifacts);
    }

    /// <summary>The driver, and a device of it that claims to have the extensions.</summary>
    internal static (IOpenCl Api, OpenClInfo Info) Driver(Func<string, string>? plant = null, MatrixUnitKind unit = MatrixUnitKind.None)
    {
        if (OpenClLibrary.TryLoad(out string? problem) is not { } driver || OpenClInfo.All(driver) is not [var info, ..])
            throw Required.Absent("opencl", problem ?? "OpenCL: the driver has no device.");
        var api = Create<IOpenCl, SoftLanes>();
        var lanes = (SoftLanes)(object)api;
        lanes.inner = driver;
        lanes.size = unit switch { MatrixUnitKind.Intel8 => 8, MatrixUnitKind.Intel16 => 16, _ => WarpSize };
        if (plant is not null) lanes.Plant = plant;
        string[] claimed = ["cl_khr_subgroups", "cl_khr_subgroup_shuffle", "cl_khr_integer_dot_product"];
        // PoCL compiles only OpenCL C 1.2, whatever version it reports.
        info = info with
        {
            Type = OpenClInfo.Gpu,
            Version = "OpenCL 1.2",
            Extensions = [.. info.Extensions, .. claimed],
            HasFastDot = true
        };
        return (api, unit switch
        {
            MatrixUnitKind.Intel8 or MatrixUnitKind.Intel16 =>
                info with { Extensions = [.. info.Extensions, OpenClMatrixProbe.IntelExtension], SmallestSubGroup = lanes.size },
            MatrixUnitKind.Rdna3 => info with { Vendor = "Advanced Micro Devices, Inc.", Name = "gfx1100" },
            MatrixUnitKind.Rdna4 => info with { Vendor = "Advanced Micro Devices, Inc.", Name = "gfx1201" },
            _ => info,
        });
    }

    /// <inheritdoc/>
    protected override unsafe object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(IOpenCl.BuildProgram))
        {
            // The driver needs three times as long to optimise such a program as to run it.
            fixed (byte* options = "-cl-std=CL1.2 -cl-opt-disable -w\0"u8)
                return targetMethod.Invoke(inner, [args![0], args[1], (nint)options]);
        }

        if (targetMethod.Name != nameof(IOpenCl.CreateProgramWithSource)) return targetMethod.Invoke(inner, args);
        byte[] text = Encoding.UTF8.GetBytes(Define(size, Plant(Encoding.UTF8.GetString((byte*)(nint)args![1]!, (int)(nuint)args[2]!))));
        fixed (byte* at = text)
        {
            object?[] changed = [args[0], (nint)at, (nuint)text.Length, null];
            object? result = targetMethod.Invoke(inner, changed);
            args[3] = changed[3];
            return result;
        }
    }

    /// <summary>The text with definitions of what it uses.</summary>
    private static string Define(int lanes, string text)
    {
        const string Dot = "static inline int dot_4x8packed_ss_int(uint a, uint b) { int4 p = convert_int4(as_char4(a)) * "
            + "convert_int4(as_char4(b)); return p.x + p.y + p.z + p.w; }\n";
        var kernel = Kernel().Match(text);
        if (!kernel.Success) return text;
        string body = text[kernel.Index..];
        string before = text[..kernel.Index] + Dot;
        if (!Uses().IsMatch(body)) return before + body;
        body = body.Replace("barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)", "SOFT_BARRIER()", StringComparison.Ordinal);

        // All arrays in local memory become parts of one window, as in PTX, where an address is a number.
        var (setup, bytes) = (new StringBuilder(), "16");
        body = Array().Replace(body, match =>
        {
            var (type, name, count) = (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value);
            setup.Append($"\tlocal {type}* {name} = (local {type}*)((local char*)soft_window + ({bytes}));\n");
            bytes = $"{bytes} + SOFT_ALIGN(sizeof({type}) * {count})";
            return "";
        });
        body = body.Insert(body.IndexOf('{', StringComparison.Ordinal) + 1,
            $"\n\tlocal uint soft_window[({bytes}) / 4] __attribute__((aligned(16)));\n{setup}\tSOFT_BEGIN()\n");
        bool multiplies = body.Contains("ilgd_matrix_", StringComparison.Ordinal);
        if (kernel.Groups[2].Success) body = body.Replace(kernel.Groups[2].Value, "", StringComparison.Ordinal);
        return $"{before}#define SOFT_ITEMS {kernel.Groups[1].Value}\n#define SOFT_LANES {lanes}\n#define SOFT_WORDS "
            + $"{(multiplies ? 16 : 6)}\n{Lanes}{(multiplies ? Matrices : "")}{body}";
    }

    private static string Read(string file)
    {
        using var reader = new StreamReader(typeof(SoftLanes).Assembly.GetManifestResourceStream(file)!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"kernel __attribute__\(\(reqd_work_group_size\((\d+), 1, 1\)\)\)( __attribute__\(\(intel_reqd_sub_group_size\(\d+\)\)\))? void ")]
    private static partial Regex Kernel();

    [GeneratedRegex(@"\bilgd_(exchange|lane|sub_group|matrix|mma|load_matrices|copy|shared)")]
    private static partial Regex Uses();

    [GeneratedRegex(@"^[ \t]*local ((?:struct )?\w+) (\w+)\[(\d+)\];[ \t]*\r?\n", RegexOptions.Multiline)]
    private static partial Regex Array();
}
