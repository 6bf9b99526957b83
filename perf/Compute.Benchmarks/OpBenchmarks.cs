using BenchmarkDotNet.Attributes;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Compute.Benchmarks;

/// <summary>One op at one size per case, through the kernel that the op chooses.</summary>
[MemoryDiagnoser]
public class OpBenchmarks : IDisposable
{
    private CpuDevice? device;
    private BoundCase? bound;

    /// <summary>The cases that the command line chose, by the name that the table shows.</summary>
    internal static Dictionary<string, OpCase> Chosen { get; } = [];

    /// <summary>Worker threads.</summary>
    internal static int? Threads { get; set; }

    /// <summary>Names of <see cref="Chosen"/>.</summary>
    public static IEnumerable<string> Names => Chosen.Keys;

    /// <summary>Op and sizes.</summary>
    [ParamsSource(nameof(Names))]
    public string Case { get; set; } = "";

    /// <summary>Uploads and binds.</summary>
    [GlobalSetup]
    public void Bind()
    {
        device = new CpuDevice(Threads);
        bound = new BoundCase(device, Chosen[Case], outputPadding: 0);
    }

    /// <summary>Frees.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        bound?.Dispose();
        device?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>One launch. It must allocate nothing.</summary>
    [Benchmark]
    public void Launch() => bound!.Run();
}
