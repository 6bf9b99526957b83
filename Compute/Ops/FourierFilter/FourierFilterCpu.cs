using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Two passes over an image: sums of every channel multiplied by each wave, then the weighted waves are added. Waves are the cosines and
/// sines of the low frequencies, one number per pixel; if a side has length 1, its frequency −1 equals 0 and is left out.
/// </summary>
internal static class FourierFilterCpu
{
    private const int Waves = 7; // the constant, and cosine and sine of (0, −1), (−1, 0), (−1, −1)

    public static long ScratchBytes(OpSignature signature)
    {
        Shape x = signature.Inputs[0].Concrete();
        return sizeof(float) * (long)Waves * x[0] * x[3];
    }

    public static Launch Bind(OpCall call) => new Images(call);

    private sealed unsafe class Images : CpuLaunch
    {
        private readonly Tensor x, y;
        private readonly float* sums;
        private readonly float[][] waves;
        private readonly int images, rows, width, channels;
        private readonly float factor;
        private bool adding;

        public Images(OpCall call) : base(call)
        {
            (x, y) = (call.Inputs[0], call.Output);
            sums = call.Scratch!.Pointer<float>();
            (images, rows, width, channels) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]);
            factor = (float)((((FourierFilter)call.Op).Scale - 1) / ((double)rows * width));
            waves = Tables(rows, width);
        }

        public override void Run()
        {
            adding = false;
            Parallel(images * waves.Length);
            adding = true;
            Parallel(images * rows);
        }

        public override void Execute(int part, int worker)
        {
            if (adding) AddWaves(part);
            else Sum(part / waves.Length, waves[part % waves.Length], new Span<float>(sums + (long)part * channels, channels));
        }

        private void Sum(int image, float[] wave, Span<float> sum)
        {
            sum.Clear();
            for (int p = 0; p < wave.Length; p++) TensorPrimitives.MultiplyAdd(Pixel(x, image * wave.Length + p), wave[p], sum, sum);
        }

        private void AddWaves(int row)
        {
            int image = row / rows;
            for (int p = row % rows * width, end = p + width; p < end; p++)
            {
                var source = Pixel(x, image * rows * width + p);
                var target = Pixel(y, image * rows * width + p);
                source.CopyTo(target);
                for (int w = 0; w < waves.Length; w++)
                    TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(sums + (long)(image * waves.Length + w) * channels, channels),
                        factor * waves[w][p], target, target);
            }
        }

        private Span<float> Pixel(Tensor image, int pixel) => new(image.Pointer<float>() + (long)pixel * image.RowPitch, channels);

        private static float[][] Tables(int rows, int width)
        {
            var tables = new List<float[]>();
            for (int u = 0; u < Math.Min(rows, 2); u++)
                for (int v = 0; v < Math.Min(width, 2); v++)
                {
                    tables.Add(Table(rows, width, u, v, Math.Cos));
                    if (u + v > 0) tables.Add(Table(rows, width, u, v, Math.Sin));
                }

            return [.. tables];
        }

        private static float[] Table(int rows, int width, int u, int v, Func<double, double> wave) =>
            [.. Enumerable.Range(0, rows * width)
                .Select(p => (float)wave(-2 * Math.PI * ((double)u * (p / width) / rows + (double)v * (p % width) / width)))];
    }
}
