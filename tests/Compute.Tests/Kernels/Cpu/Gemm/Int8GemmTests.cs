using System.Runtime.Intrinsics;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Every integer GEMM that this processor can run gives the same bits as the one that it chooses.
/// </summary>
public sealed class Int8GemmTests
{
    public static TheoryData<string> Names => [.. new QuantizedMatMulCases().Cases.Select(c => c.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Case_EveryWay_GivesTheSameBits(string name)
    {
        var @case = new QuantizedMatMulCases().Cases.Single(c => c.Name == name);
        using var device = new CpuDevice(threads: 2);
        double[] expected;
        using (var bound = new BoundCase(device, @case, outputPadding: 0))
        {
            bound.Run();
            expected = bound.Read();
        }

        Assert.NotEmpty(Int8Gemm.Supported);
        foreach (var gemm in Int8Gemm.Supported)
            Assert.True(expected.SequenceEqual(Run(device, @case, gemm)),
                $"{name} by {gemm}: results differ from those by {Int8Gemm.Best}.");
    }

    private static double[] Run(CpuDevice device, OpCase @case, Int8Gemm gemm)
    {
        var buffers = new List<DeviceBuffer>();
        Tensor[] inputs = [.. @case.Inputs.Select(Upload)];
        TensorType[] types = [.. inputs.Select(i => i.Type)];
        var signature = new OpSignature(@case.Op, types, @case.Op.Infer(types));
        Tensor output = Allocate(DType.Float32, signature.Output.Concrete()),
            scratch = Allocate(DType.Int8, [checked((int)QuantizedMatMulCpu.ScratchBytes(signature, gemm))]);
        var call = new OpCall(device, @case.Op, inputs, output, scratch);
        var launch = Vector512.IsHardwareAccelerated ? QuantizedMatMulCpu.Bind<Simd512>(call, gemm)
            : Vector256.IsHardwareAccelerated ? QuantizedMatMulCpu.Bind<Simd256>(call, gemm)
            : QuantizedMatMulCpu.Bind<Simd128>(call, gemm);
        launch.Run();
        double[] values = [.. output.Span<float>().ToArray().Select(v => (double)v)];
        foreach (var buffer in buffers) buffer.Dispose();
        return values;

        Tensor Upload(CaseTensor tensor)
        {
            var uploaded = tensor.Upload(device, out var buffer);
            buffers.Add(buffer);
            return uploaded;
        }

        Tensor Allocate(DType dtype, Shape shape)
        {
            buffers.Add(device.Allocate(Math.Max(1, shape.Count * dtype.Size())));
            return new Tensor(buffers[^1], 0, dtype, shape);
        }
    }
}
