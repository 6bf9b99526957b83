using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Measuring;
using Tensor = TorchSharp.torch.Tensor;

namespace ILGpuDiffusion.Peers;

/// <summary>One op at one size against one peer.</summary>
/// <param name="Op">The op.</param>
/// <param name="Case">Its sizes.</param>
/// <param name="Way">How weights were stored here, or empty; <c>packed</c> means float32 in the kernel's own order, as plans of small
/// models keep them.</param>
/// <param name="Peer">The peer, and the memory layout in which it was fastest.</param>
/// <param name="Milliseconds">Our median.</param>
/// <param name="PeerMilliseconds">The peer's median.</param>
/// <param name="Gflops">Ours, by the op's definition.</param>
/// <param name="PeerGflops">The peer's.</param>
/// <param name="Ratio">The peer's time over ours.</param>
/// <param name="Error">Rms of the difference between both results, relative to the peer's.</param>
internal sealed record OpResult(string Op, string Case, string Way, string Peer, double Milliseconds, double PeerMilliseconds,
    double Gflops, double PeerGflops, Ratio Ratio, double Error);

/// <summary>Single ops against libtorch, interleaved in one process.</summary>
internal sealed class OpComparison(CpuDevice device, int rounds)
{
    private const double LeastSeconds = 0.02;

    /// <summary>Measures a group of <see cref="ModelCases.Groups"/>.</summary>
    public IEnumerable<OpResult> Measure(string group, Func<string, bool> wanted)
    {
        foreach (var (op, sizes) in ModelCases.Groups[group].Where(c => wanted(c.Sizes)))
        {
            var @case = ModelCases.Of(op, sizes, DType.Float32);
            var results = @case.Op switch
            {
                QuantizedMatMul => Int8(@case),
                MatMul => Measure(@case, [("float32", @case, false), ("bfloat16", ModelCases.Of(op, sizes, DType.BFloat16), false),
                    ("packed", @case, true)]),
                Conv2D => Measure(@case, [("float32", @case, false), ("bfloat16", ModelCases.Of(op, sizes, DType.BFloat16), false)]),
                _ => Measure(@case, [("", @case, false)]),
            };
            foreach (var result in results) yield return result;
        }
    }

    private OpResult[] Measure(OpCase @case, (string Way, OpCase Case, bool Packed)[] ways)
    {
        using var packed = new PackedWeights(device);
        BoundCase[] bound = [.. ways.Select(w => new BoundCase(device, w.Case, outputPadding: 0, packed: w.Packed ? packed : null))];
        Tensor[] innermost = TorchTensors.Arguments(@case, channelsLast: true);
        (string Name, Tensor[] Inputs)[] peers = @case.Inputs[0].Shape.Rank == 4
            ? [("libtorch nhwc", innermost), ("libtorch nchw", [.. innermost.Select(t => t.contiguous())])] : [("libtorch", innermost)];
        Action[] all = [.. bound.Select(b => (Action)b.Run),
            .. peers.Select(p => (Action)(() => TorchOps.Apply(@case.Op, p.Inputs).Dispose()))];
        var times = Interleaved.Measure(rounds, LeastSeconds, all);
        using var expected = TorchOps.Apply(@case.Op, peers[0].Inputs);
        float[] values = TorchTensors.Values(expected);
        int best = bound.Length + Enumerable.Range(0, peers.Length).MinBy(i => times[bound.Length + i].Median);
        OpResult[] results = [.. ways.Select((w, i) =>
            Result(@case, w.Way, peers[best - bound.Length].Name, times[i], times[best], Errors.Relative(bound[i].Read(), values)))];
        Free(bound, peers.SelectMany(p => p.Inputs));
        return results;
    }

    /// <summary>An int8 layer against float32 and against libtorch's own int8.</summary>
    private OpResult[] Int8(OpCase @case)
    {
        BoundCase[] bound = [new(device, @case, outputPadding: 0)];
        double[] weights = @case.Inputs[1].Reference().Values, scales = @case.Inputs[2].Reference().Values;
        int width = @case.Inputs[1].Shape.Last;
        var plain = new OpCase(@case.Name, new MatMul(),
            [@case.Inputs[0], new CaseTensor(@case.Inputs[1].Shape, i => weights[i] * scales[i / width]), @case.Inputs[3]], Tolerance: 0);
        Tensor[] inputs = TorchTensors.Arguments(plain, channelsLast: false);
        using var own = new TorchInt8Linear(inputs[1], inputs[2]);
        var times = Interleaved.Measure(rounds, LeastSeconds, bound[0].Run, () => TorchOps.Apply(plain.Op, inputs).Dispose(),
            () => own.Run(inputs[0]).Dispose());
        using var expected = TorchOps.Apply(plain.Op, inputs);
        double error = Errors.Relative(bound[0].Read(), TorchTensors.Values(expected));
        OpResult[] results = [Result(@case, "int8", "libtorch float32", times[0], times[1], error),
            Result(@case, "int8", "libtorch int8", times[0], times[2], error)];
        Free(bound, inputs);
        return results;
    }

    private static OpResult Result(OpCase @case, string way, string peer, Timings ours, Timings theirs, double error)
    {
        TensorType[] types = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
        double flops = @case.Op.Flops(new OpSignature(@case.Op, types, @case.Op.Infer(types)));
        return new(@case.Op.GetType().Name, @case.Name, way, peer, ours.Median * 1e3, theirs.Median * 1e3, flops / ours.Median / 1e9,
            flops / theirs.Median / 1e9, theirs.Over(ours), error);
    }

    private static void Free(BoundCase[] bound, IEnumerable<Tensor> tensors)
    {
        foreach (var b in bound) b.Dispose();
        foreach (var tensor in tensors) tensor.Dispose();
    }
}
