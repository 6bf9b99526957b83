using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Corrections of the OpenCL C that ILGPU 1.5.3 generates, and the prelude of functions for intrinsics.</summary>
internal static partial class OpenClText
{
    private static readonly Lazy<string> Prelude = new(() =>
    {
        using var stream = typeof(OpenClText).Assembly.GetManifestResourceStream("ILGpuDiffusion.Compute.Prelude.cl")
            ?? throw new InvalidOperationException("Prelude.cl is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    });

    /// <summary>The functions that intrinsics call, for all devices: Prelude.cl.</summary>
    public static string Functions => Prelude.Value;

    /// <exception cref="KernelCompilationException">A pointer's address space is unknown, which OpenCL 1.2 cannot express.</exception>
    public static string Patch(string text, int groupSize, GpuFeatures features)
    {
        // ILGPU's barrier fences global memory only, and has its OpenCL 2.0 name.
        text = Barrier().Replace(text, "barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)");
        text = Atomics(text);
        if (text.Contains("__generic", StringComparison.Ordinal) || GenericPointer().IsMatch(text))
            throw new KernelCompilationException("a pointer may be global or local; index views and local memory directly.");
        string attributes = $"__attribute__((reqd_work_group_size({groupSize}, 1, 1)))";
        if (text.Contains("ilgd_matrix_", StringComparison.Ordinal)) attributes += SubGroupSize(features);
        text = Kernel().Replace(text, $"kernel {attributes} void");
        text = Renumber(text);
        return text.Contains("ilgd_", StringComparison.Ordinal) ? Preamble(features) + text : text;
    }

    /// <summary>The functions that intrinsics call, in the device's version.</summary>
    public static string Preamble(GpuFeatures features) => (features.SubGroups switch
    {
        SubGroupKind.Khronos => "#define ILGD_SUB_GROUPS_KHRONOS\n",
        SubGroupKind.Intel => "#define ILGD_SUB_GROUPS_INTEL\n",
        _ => "",
    }) + (features.Dot switch
    {
        IntegerDotKind.Khronos => "#define ILGD_DOT_KHRONOS\n",
        IntegerDotKind.Arm => "#define ILGD_DOT_ARM\n",
        _ => "",
    }) + (features.MatrixUnit switch
    {
        MatrixUnitKind.Intel8 => "#define ILGD_MATRIX_INTEL_8\n",
        MatrixUnitKind.Intel16 => "#define ILGD_MATRIX_INTEL_16\n",
        MatrixUnitKind.Rdna3 => "#define ILGD_MATRIX_RDNA3\n",
        MatrixUnitKind.Rdna4 => "#define ILGD_MATRIX_RDNA4\n",
        _ => "",
    }) + Prelude.Value;

    /// <summary>The attribute that sets the sub-group size that matrix instructions require, if the compiler has a choice.</summary>
    public static string SubGroupSize(GpuFeatures features) => features.MatrixUnit switch
    {
        MatrixUnitKind.Intel8 => " __attribute__((intel_reqd_sub_group_size(8)))",
        MatrixUnitKind.Intel16 => " __attribute__((intel_reqd_sub_group_size(16)))",
        _ => "",
    };

    /// <summary>
    /// Numbers types and labels by first appearance: ILGPU's numbers differ from context to context, and drivers cache by text.
    /// </summary>
    public static string Renumber(string text)
    {
        var numbers = new Dictionary<string, string>();
        return Numbered().Replace(text, match =>
            numbers.TryGetValue(match.Value, out string? name) ? name : numbers[match.Value] = $"{match.Groups[1].Value}_{numbers.Count}");
    }

    /// <summary>OpenCL 2.0 atomics take generic pointers; those of 1.2, with the address space named, do the same on all devices.</summary>
    private static string Atomics(string text)
    {
        if (!text.Contains("atomic_", StringComparison.Ordinal)) return text;
        var spaces = Typedef().Matches(text).ToDictionary(m => m.Groups[2].Value, m => m.Groups[1].Value);
        var pointers = Declaration().Matches(text).Where(m => spaces.ContainsKey(m.Groups[1].Value))
            .ToDictionary(m => m.Groups[2].Value, m => spaces[m.Groups[1].Value]);
        text = AtomicCast().Replace(text,
            m => $"(volatile {pointers.GetValueOrDefault(m.Groups[2].Value, "global")} {m.Groups[1].Value}*){m.Groups[2].Value}");
        return "#define atomic_int int\n#define atomic_uint uint\n#define atomic_fetch_add(p, v) atomic_add(p, v)\n#define "
            + "atomic_fetch_max(p, v) atomic_max(p, v)\n#define atomic_fetch_min(p, v) atomic_min(p, v)\n" + text;
    }

    [GeneratedRegex(@"work_group_barrier\s*\(\s*CLK_GLOBAL_MEM_FENCE\s*\)")]
    private static partial Regex Barrier();

    [GeneratedRegex(@"\bkernel void\b")]
    private static partial Regex Kernel();

    [GeneratedRegex(@"\b(type|L)_(\d+)")]
    private static partial Regex Numbered();

    [GeneratedRegex(@"typedef (global|local|private) [\w ]+\*+ (type_\d+);")]
    private static partial Regex Typedef();

    [GeneratedRegex(@"^typedef (?!global |local |private |struct )[\w ]+\*+ type_\d+;", RegexOptions.Multiline)]
    private static partial Regex GenericPointer();

    [GeneratedRegex(@"^\t(type_\d+) (var\d+);", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\((atomic_\w+)\*\)(var\d+)")]
    private static partial Regex AtomicCast();
}
