using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Result of probing a device's extensions.</summary>
/// <param name="Features">Features that work.</param>
/// <param name="Failures">Claimed features that do not work, with the reason.</param>
internal sealed record ProbedFeatures(GpuFeatures Features, IReadOnlyList<string> Failures);

/// <summary>A claimed extension and its probe.</summary>
/// <param name="Name">Name of the extension.</param>
/// <param name="Part">The features that it adds if it works.</param>
/// <param name="Text">A kernel <c>probe(global int*)</c> of 64 work items.</param>
/// <param name="Results">Number of ints that it writes.</param>
/// <param name="Check">Checks them; returns the sub-group size if that was probed, else 0.</param>
internal sealed record ProbeCandidate(string Name, GpuFeatures Part, string Text, int Results, Func<int[], int> Check);

/// <summary>
/// Probes the extensions that an OpenCL device claims: each counts only if a small program that uses it builds and gives correct results.
/// The result is cached with the compiled kernels, for this exact driver.
/// </summary>
internal static class OpenClProbe
{
    /// <summary>
    /// The environment variable that disables all extensions if it is <c>off</c>: for drivers whose extensions pass the probe and then
    /// fail.
    /// </summary>
    public const string Variable = "ILGPUDIFFUSION_OPENCL_EXTENSIONS";

    /// <summary>Work items of a probe.</summary>
    public const int Items = 64;

    /// <summary>
    /// Working features of a device: from the cache, else probed now. A device that claims none of the extensions is not probed.
    /// </summary>
    /// <exception cref="DeviceException">The variable is neither empty nor <c>off</c>.</exception>
    public static ProbedFeatures Of(
        IOpenCl api, OpenClInfo info, ArtifactCache kept, string? variable = null, ILoggerFactory? loggerFactory = null)
    {
        if (info.Problem is not null || !Candidates(info).Any()) return new(GpuFeatures.None, []);
        if (string.Equals(variable, "off", StringComparison.OrdinalIgnoreCase))
            return new(GpuFeatures.None, [$"its extensions are not used ({Variable}=off)"]);
        if (!string.IsNullOrEmpty(variable)) throw new DeviceException($"{Variable} is '{variable}'; it must be 'off', or not set.");
        string device = $"{info.Target.Driver}; {info.Version}; {string.Join(' ', info.Extensions)}";
        return kept.Probed(device, () => Try(api, info, loggerFactory), loggerFactory ?? TraceLoggerFactory.Instance);
    }

    /// <summary>Probes all extensions and records each failure.</summary>
    public static ProbedFeatures Try(IOpenCl api, OpenClInfo info, ILoggerFactory? loggerFactory = null)
    {
        var logger = (loggerFactory ?? TraceLoggerFactory.Instance).CreateLogger<Device>();
        var (features, failures) = (GpuFeatures.None, new List<string>());
        foreach (var (name, part, text, count, check) in Candidates(info))
        {
            bool known = part.SubGroups != SubGroupKind.None ? features.SubGroups != SubGroupKind.None
                : part.Dot != IntegerDotKind.None && features.Dot != IntegerDotKind.None;
            if (known) continue;
            try
            {
                var asked = part with { Standard = Newest(info) };
                int size = check(new OpenClTrial(api, info.Handle).Run(OpenClText.Preamble(asked) + text, asked.Standard, Items, count));
                features = features with
                {
                    Standard = asked.Standard,
                    SubGroups = part.SubGroups != SubGroupKind.None ? part.SubGroups : features.SubGroups,
                    SubGroupSize = part.SubGroups != SubGroupKind.None ? size : features.SubGroupSize,
                    Dot = part.Dot != IntegerDotKind.None ? part.Dot : features.Dot,
                    MatrixUnit = part.MatrixUnit != MatrixUnitKind.None ? part.MatrixUnit : features.MatrixUnit,
                    Matrix = features.Matrix | part.Matrix,
                };
            }
            catch (DeviceException e)
            {
                failures.Add($"{name} does not work: {e.Message}");
                DeviceLog.ExtensionFailed(logger, info.Name, failures[^1]);
            }
        }

        return new(features, failures);
    }

    private static IEnumerable<ProbeCandidate> Candidates(OpenClInfo info)
    {
        bool Has(string name) => info.Extensions.Contains(name);
        if (Has("cl_khr_subgroups") && Has("cl_khr_subgroup_shuffle"))
            yield return Exchange("cl_khr_subgroup_shuffle", SubGroupKind.Khronos);
        if (Has("cl_intel_subgroups")) yield return Exchange("cl_intel_subgroups", SubGroupKind.Intel);
        if (Has("cl_khr_integer_dot_product") && info.HasFastDot) yield return Dot("cl_khr_integer_dot_product", IntegerDotKind.Khronos);
        if (Has("cl_arm_integer_dot_product_accumulate_int8"))
            yield return Dot("cl_arm_integer_dot_product_accumulate_int8", IntegerDotKind.Arm);
        foreach (var matrices in OpenClMatrixProbe.Candidates(info)) yield return matrices;

        static ProbeCandidate Exchange(string name, SubGroupKind kind) =>
            new(name, new() { SubGroups = kind }, ExchangeText, 3 * Items, CheckExchange);
        static ProbeCandidate Dot(string name, IntegerDotKind kind) => new(name, new() { Dot = kind }, DotText, 3 * Items, CheckDot);
    }

    private static string Newest(OpenClInfo info) =>
        info.Version.StartsWith("OpenCL 1", StringComparison.Ordinal) ? GpuFeatures.PlainStandard
            : info.Version.StartsWith("OpenCL 2", StringComparison.Ordinal) ? "CL2.0" : "CL3.0";

    // Every work item's index is part of one sum, as in the kernels' reductions.
    private const string ExchangeText = """
        kernel __attribute__((reqd_work_group_size(64, 1, 1))) void probe(global int* results)
        {
            int item = (int)get_local_id(0), size = ilgd_sub_group_size(), sum = item * item + 1;
            float same = (float)sum;
            for (int distance = size / 2; distance > 0; distance /= 2)
            {
                sum += ilgd_exchange(sum, distance);
                same += ilgd_exchange(same, distance);
            }

            results[item] = (float)sum == same ? sum : -1;
            results[item + 64] = ilgd_sub_group();
            results[item + 128] = size;
        }

        """;

    private const string DotText = """
        kernel __attribute__((reqd_work_group_size(64, 1, 1))) void probe(global int* results)
        {
            int item = (int)get_local_id(0), a = item * 0x01030507 ^ 0x80ff7f01, b = item * 0x0b0d1113 ^ 0x807f80ff;
            results[item] = ilgd_dot4(a, b, item - 32);
            results[item + 64] = a;
            results[item + 128] = b;
        }

        """;

    /// <exception cref="DeviceException">The numbers are wrong.</exception>
    private static int CheckExchange(int[] results)
    {
        int size = results[2 * Items];
        if (size < 2 || size > Items || !int.IsPow2(size)) throw new DeviceException($"a sub-group has {size} work items");
        for (int item = 0; item < Items; item++)
        {
            int group = results[Items + item], count = Enumerable.Range(0, Items).Count(i => results[Items + i] == group);
            int sum = Enumerable.Range(0, Items).Where(i => results[Items + i] == group).Sum(i => i * i + 1);
            if (group < 0 || group >= Items / size || count != size || results[item] != sum)
                throw new DeviceException("it gives wrong sums");
        }

        return size;
    }

    /// <exception cref="DeviceException">The numbers are wrong.</exception>
    private static int CheckDot(int[] results)
    {
        for (int item = 0; item < Items; item++)
            if (results[item] != IntegerDot.MultiplyAdd(results[Items + item], results[2 * Items + item], item - 32))
                throw new DeviceException("it gives wrong sums");
        return 0;
    }
}
