using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Images from PyTorch's order to ours.</summary>
public sealed class NchwToNhwcCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(NchwToNhwc);

    public IEnumerable<OpCase> Cases =>
    [
        new("one pixel", new NchwToNhwc(), [CaseTensor.Normal([1, 1, 1, 1], 1)], Exact),
        new("latents", new NchwToNhwc(), [CaseTensor.Normal([2, 4, 7, 5], 2)], Exact),
        new("one over a block", new NchwToNhwc(), [CaseTensor.Normal([1, 3, 2, 65], 3)], Exact),
        new("many channels", new NchwToNhwc(), [CaseTensor.Normal([1, 131, 3, 4], 4)], Exact),
        new("column view", new NchwToNhwc(), [CaseTensor.Normal([2, 3, 4, 5], 5, padding: 3)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        double[] y = new double[output.Count];
        int pixels = output[1] * output[2], channels = output[3];
        for (int i = 0; i < y.Length; i++)
            y[i] = inputs[0].Values[(i / channels / pixels * channels + i % channels) * pixels + i / channels % pixels];
        return y;
    }
}

/// <summary>Images from our order to PyTorch's.</summary>
public sealed class NhwcToNchwCases : IOpCases
{
    private const double Exact = 0;

    public Type Op => typeof(NhwcToNchw);

    public IEnumerable<OpCase> Cases =>
    [
        new("one pixel", new NhwcToNchw(), [CaseTensor.Normal([1, 1, 1, 1], 1)], Exact),
        new("pixels", new NhwcToNchw(), [CaseTensor.Normal([2, 5, 7, 3], 2)], Exact),
        new("one over a block", new NhwcToNchw(), [CaseTensor.Normal([1, 2, 65, 4], 3)], Exact),
        new("column view", new NhwcToNchw(), [CaseTensor.Normal([2, 4, 5, 6], 5, padding: 3)], Exact),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output)
    {
        double[] y = new double[output.Count];
        int pixels = output[2] * output[3], channels = output[1];
        for (int i = 0; i < y.Length; i++)
            y[i] = inputs[0].Values[(i / pixels / channels * pixels + i % pixels) * channels + i / pixels % channels];
        return y;
    }
}
