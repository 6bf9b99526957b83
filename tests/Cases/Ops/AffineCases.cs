using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Scaling of latents and pixels.</summary>
public sealed class AffineCases : IOpCases
{
    private const double Float32Rounding = 2e-7; // both attributes and the result are rounded once

    public Type Op => typeof(Affine);

    public IEnumerable<OpCase> Cases =>
    [
        new("scalar", new Affine(2, -1), [CaseTensor.Of([], 3)], Float32Rounding),
        new("pixels to 0..1", new Affine(0.5, 0.5), [CaseTensor.Normal([2, 5, 7, 3], 1)], Float32Rounding),
        new("VAE scaling of SDXL", new Affine(1 / 0.13025, 0), [CaseTensor.Normal([1, 16, 16, 4], 2)], Float32Rounding),
        new("column view", new Affine(-3, 0.25), [CaseTensor.Normal([3, 19], 3, padding: 2)], Float32Rounding),
        new("infinity", new Affine(2, 1), [CaseTensor.Of([2], double.PositiveInfinity, double.NegativeInfinity)], Float32Rounding),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output) =>
        [.. inputs[0].Values.Select(x => x * ((Affine)op).Scale + ((Affine)op).Offset)];
}
