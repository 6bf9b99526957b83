using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Measuring;

/// <summary>
/// Writes models of any published configuration with random bfloat16 weights, so that real sizes can be loaded and timed without a
/// download. Values keep activations near unit variance: normal with deviation 1/√(fan-in), norm scales around 1.
/// </summary>
public static class RandomCheckpoint
{
    private const int TableSize = 1 << 16;

    /// <summary>Writes one component's weights.</summary>
    /// <param name="model">The layers whose parameters are written.</param>
    /// <param name="file">The safetensors file to write.</param>
    /// <param name="seed">Equal seeds give equal files.</param>
    /// <returns>Number of values.</returns>
    public static long Write(Layer model, string file, int seed)
    {
        var random = new Random(seed);
        float[] normal = [.. Enumerable.Range(0, TableSize)
            .Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
        var writer = new SafetensorsWriter();
        ulong state = (ulong)seed * 0x9E3779B97F4A7C15 + 1;
        long count = 0;
        foreach (var parameter in model.Parameters)
        {
            count += parameter.Shape.Count;
            ulong start = state += 0x9E3779B97F4A7C15;
            writer.Add(parameter.Path, DType.BFloat16, parameter.Shape, stream => Fill(stream, parameter.Shape, normal, start));
        }

        writer.Save(file);
        return count;
    }

    private static void Fill(Stream stream, Shape shape, float[] normal, ulong state)
    {
        bool matrix = shape.Rank > 1;
        float deviation = matrix ? 1 / MathF.Sqrt((float)shape.Count / shape[0]) : 0.1f, mean = shape.Rank == 1 ? 0.9f : 0;
        ushort[] table = [.. normal.Select(v => BFloat16Bits.Round(mean + deviation * v))];
        var block = new ushort[1 << 16];
        for (long left = shape.Count; left > 0; left -= block.Length)
        {
            int length = (int)Math.Min(left, block.Length);
            for (int i = 0; i < length; i++)
            {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17; // xorshift64 (Marsaglia, 2003)
                block[i] = table[state >> 48];
            }

            stream.Write(MemoryMarshal.AsBytes(block.AsSpan(0, length)));
        }
    }
}
