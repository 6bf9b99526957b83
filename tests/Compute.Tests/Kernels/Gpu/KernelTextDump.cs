using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Writes the text and the launches of every kernel that the op cases can choose, for <c>perf/run.sh texts</c>: two such folders show whether a refactoring left the GPU code alone.
/// It checks nothing by itself and is skipped unless a folder is named.
/// </summary>
public sealed class KernelTextDump
{
    /// <summary>The environment variable that names the folder.</summary>
    private const string Variable = "ILGPUDIFFUSION_TEXTS";

    private static readonly GpuTarget OpenClGpu = GpuTarget.OpenClCpu() with { Architecture = "opencl-gpu", IsCpu = false, MaxGroupSize = 1024 };

    // opencl-cpu is what PoCL has: none of the features.
    private static readonly (string Name, GpuTarget Target)[] Targets =
    [
        ("sm_80", GpuTarget.Cuda(8, 0)),
        ("sm_86", GpuTarget.Cuda(8, 6)),
        ("sm_89", GpuTarget.Cuda(8, 9)),
        ("sm_90", GpuTarget.Cuda(9, 0)),
        ("opencl-cpu", GpuTarget.OpenClCpu()),
        ("opencl-gpu", OpenClGpu),
        ("khronos", With(SubGroupKind.Khronos, IntegerDotKind.Khronos)),
        ("intel-arm", With(SubGroupKind.Intel, IntegerDotKind.Arm)),
        ("intel8", With(MatrixUnitKind.Intel8)),
        ("intel16", With(MatrixUnitKind.Intel16)),
        ("rdna3", With(MatrixUnitKind.Rdna3)),
        ("rdna4", With(MatrixUnitKind.Rdna4)),
    ];

    /// <summary>The folder; where none is named, the test is skipped.</summary>
    public static string Folder
    {
        get
        {
            string? folder = Environment.GetEnvironmentVariable(Variable);
            Assert.SkipWhen(string.IsNullOrEmpty(folder), $"{Variable} names no folder to write to; perf/run.sh texts does.");
            return folder!;
        }
    }

    /// <summary>One after the other, so that a text which serves several targets is translated once.</summary>
    [Fact]
    public void Texts_OfEveryTarget_AreWritten()
    {
        string root = Folder;
        foreach (var (name, target) in Targets)
        {
            string folder = Path.Combine(root, name);
            var texts = new KernelTextFolder(target, folder);
            Parallel.ForEach(OpCatalog.Cases, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, texts.Write);
            Assert.NotEmpty(Directory.EnumerateFiles(folder));
        }
    }

    private static GpuTarget With(SubGroupKind subGroups, IntegerDotKind dot) => OpenClGpu with { Features = new() { SubGroups = subGroups, SubGroupSize = 32, Dot = dot } };

    private static GpuTarget With(MatrixUnitKind unit) =>
        OpenClGpu with { Features = new() { MatrixUnit = unit, Matrix = MatrixTypes.Float16 | MatrixTypes.BFloat16 | MatrixTypes.Int8 } };
}
