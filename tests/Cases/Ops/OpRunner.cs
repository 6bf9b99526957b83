using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Runs single ops on host values, for comparisons with recorded operators.</summary>
public static class OpRunner
{
    /// <summary>The result of an op on a CPU device of two threads; it can be the argument of the next op.</summary>
    public static CaseTensor Run(Op op, params CaseTensor[] inputs)
    {
        using var device = new CpuDevice(threads: 2);
        using var bound = new BoundCase(device, new OpCase("", op, inputs, Tolerance: 0), outputPadding: 0);
        bound.Run();
        double[] values = bound.Read();
        return new CaseTensor(bound.Shape, i => values[i], bound.DType);
    }

    /// <summary>The elements as floats, row-major.</summary>
    public static float[] Floats(this CaseTensor tensor) =>
        [.. Enumerable.Range(0, checked((int)tensor.Shape.Count)).Select(i => (float)tensor.Values(i))];

    /// <summary>The same elements with other sizes.</summary>
    public static CaseTensor Reshape(this CaseTensor tensor, Shape shape) => tensor with { Shape = shape };

    /// <summary>A recorded input with its recorded sizes.</summary>
    public static CaseTensor InputTensor(this GoldenCase @case, string name)
    {
        float[] values = @case.Input(name);
        return new CaseTensor(@case.InputShape(name), i => values[i]);
    }

    /// <summary>A recorded image [n, c, h, w] as [n, h, w, c].</summary>
    public static CaseTensor InputImage(this GoldenCase @case, string name) => Run(new NchwToNhwc(), @case.InputTensor(name));

    /// <summary>An image [n, h, w, c] in the recorded order, [n, c, h, w].</summary>
    public static float[] Planes(this CaseTensor image) => Run(new NhwcToNchw(), image).Floats();

    /// <summary>
    /// Compares with a recorded output. The tolerance is eight times the difference between the library's own float32 and float64 runs,
    /// which is the size of rounding noise; if they agree exactly, so must the values.
    /// </summary>
    public static void CheckNoise(this GoldenCase @case, string name, float[] actual)
    {
        const double SmallMultiple = 8;
        double noise = @case.Outputs[name].NoiseRelative
            ?? throw new InvalidOperationException($"{@case.Name}: no noise was recorded for {name}.");
        @case.Check(name, actual, SmallMultiple * noise);
    }
}
