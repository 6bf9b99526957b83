using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One number at a time; the frequencies are computed once per binding.</summary>
internal static class SinusoidalEmbeddingCpu
{
    public static Launch Bind(OpCall call) => new Rows(call);

    /// <summary>f(j) rounded as in diffusers: exponent, quotient and exponential each in float32.</summary>
    private static float[] Frequencies(SinusoidalEmbedding op)
    {
        int half = op.Channels / 2;
        float[] frequencies = new float[half];
        for (int j = 0; j < half; j++)
            frequencies[j] = MathF.Exp((float)(-Math.Log(op.MaxPeriod)) * j / (float)(half - op.DownscaleFreqShift));
        return frequencies;
    }

    private sealed unsafe class Rows(OpCall call) : RowLaunch(call, call.Output.Rows, call.Output.Width)
    {
        private readonly Tensor t = call.Inputs[0], y = call.Output;
        private readonly SinusoidalEmbedding op = (SinusoidalEmbedding)call.Op;
        private readonly float[] frequencies = Frequencies((SinusoidalEmbedding)call.Op);

        protected override void Row(int row)
        {
            float* numbers = t.Pointer<float>() + (long)row * t.RowPitch, target = y.Pointer<float>() + (long)row * y.RowPitch;
            int half = frequencies.Length;
            for (int k = 0; k < t.Width; k++, target += op.Channels)
            {
                var sine = new Span<float>(op.FlipSinToCos ? target + half : target, half);
                var cosine = new Span<float>(op.FlipSinToCos ? target : target + half, half);
                Angles(numbers[k], sine);
                TensorPrimitives.Cos(sine, cosine);
                TensorPrimitives.Sin(sine, sine);
                if (op.Channels % 2 == 1) target[op.Channels - 1] = 0;
            }
        }

        private void Angles(float number, Span<float> angles)
        {
            TensorPrimitives.Multiply(frequencies, number, angles);
            if (op.Scale != 1) TensorPrimitives.Multiply(angles, (float)op.Scale, angles);
        }
    }
}
