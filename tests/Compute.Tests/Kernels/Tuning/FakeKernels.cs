using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Kernels that can be chosen but not run, and a timer that computes their times from a model.</summary>
internal static class FakeKernels
{
    public static readonly TuningParameter Columns = new("columns", 16, 16, 32, 64, 128, 256), Rows = new("rows", 8, 1, 2, 4, 8, 16, 32);

    public static readonly KernelVariant Tiled = Variant("fake/tiled", new TuningSpace(Columns, Rows)),
        Plain = Variant("fake/plain", TuningSpace.None);

    /// <summary>The GEMM that the variants above stand for.</summary>
    public static OpSignature Gemm(int rows = 100, int depth = 64, int columns = 48)
    {
        Shape x = [rows, depth], weight = [columns, depth];
        TensorType[] inputs = [new(DType.Float32, x), new(DType.Float32, weight)];
        return new OpSignature(new MatMul(), inputs, new MatMul().Infer(inputs));
    }

    private static KernelVariant Variant(string name, TuningSpace space) =>
        new(name, Backends.Cpu, (_, _) => throw new InvalidOperationException("Nobody runs a fake kernel.")) { Tuning = space };
}

/// <summary>Computes times from a model, and counts its calls.</summary>
internal sealed class FakeTimer(Func<KernelChoice, double> seconds) : IKernelTimer
{
    public int Timings { get; private set; }

    public double Time(KernelChoice choice)
    {
        Timings++;
        return seconds(choice);
    }
}
