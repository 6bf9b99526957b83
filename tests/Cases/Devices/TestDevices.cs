using System.Collections.Concurrent;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Cases;

/// <summary>
/// The GPU devices that tests run on: every usable one of this machine. Each is opened once per test process, so that a kernel is compiled
/// once; it stays open until the process ends.
/// </summary>
public static class TestDevices
{
    private static readonly ConcurrentDictionary<string, Lazy<Device>> Opened = new();

    /// <summary>
    /// Ids of the GPU devices present, or the family's name if there is none: a row that <see cref="Open"/> skips or fails
    /// visibly.
    /// </summary>
    public static IReadOnlyList<string> Gpus { get; } = FindGpus();

    /// <summary>The device, shared by all tests.</summary>
    /// <param name="id">One of <see cref="Gpus"/>.</param>
    public static Device Open(string id)
    {
        RequirePresent(id);
        return Opened.GetOrAdd(id, i => new(() => DeviceCatalog.Open(i))).Value;
    }

    /// <summary>Opens the device again, for a test that counts its memory while other tests run.</summary>
    /// <param name="id">One of <see cref="Gpus"/>.</param>
    public static Device OpenAnother(string id)
    {
        RequirePresent(id);
        return DeviceCatalog.Open(id);
    }

    /// <summary>The first OpenCL device with its kernel cache in the given folder.</summary>
    public static Device OpenWithKernelsIn(string folder)
    {
        RequirePresent(Gpus.FirstOrDefault(id => id.StartsWith("opencl", StringComparison.Ordinal)) ?? "opencl");
        var api = OpenClLibrary.TryLoad(out _)!;
        return new OpenClDevice(api, OpenClInfo.All(api)[0], 0, new ArtifactCache(folder));
    }

    /// <summary>As <see cref="Open"/>, for whole models: skips if an op that they need has no GPU kernel.</summary>
    public static Device OpenForModels(string id)
    {
        Type[] missing = [.. NotYetOnGpus.Ops.Except([typeof(Quantize), typeof(QuantizeScale), typeof(QuantizedMatMul)])];
        if (missing.Length > 0) Xunit.Assert.Skip($"Without GPU kernels are still {string.Join(", ", missing.Select(op => op.Name))}.");
        return Open(id);
    }

    private static void RequirePresent(string id)
    {
        if (!id.Contains(':', StringComparison.Ordinal))
        {
            var problems = DeviceCatalog.List().Where(d => d.Problem is not null).Select(d => $"{d.Id}: {d.Problem}");
            throw Required.Absent(id, $"No {id} device is present: {string.Join("; ", DeviceCatalog.Absences().Concat(problems))}.");
        }
    }

    private static string[] FindGpus()
    {
        string[] present = [.. DeviceCatalog.List().Where(d => d.Problem is null && d.Backend != Backends.Cpu).Select(d => d.Id)];
        string[] families = ["cuda", "opencl"];
        // A machine without GPU devices has one visible skip; a required family has its own row.
        var absent = families.Where(f =>
            !present.Any(p => p.StartsWith(f, StringComparison.Ordinal))
                && (Required.Includes(f) || (f == "opencl" && present.Length == 0)));
        return [.. present, .. absent];
    }
}
