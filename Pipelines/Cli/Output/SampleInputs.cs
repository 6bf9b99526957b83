using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Inputs for measuring plans.</summary>
internal static class SampleInputs
{
    /// <summary>
    /// Fills every input with standard normal values, the same each time: nothing overflows, and nothing is zero or subnormal.
    /// </summary>
    public static void Fill(CompiledGraph graph, Plan plan)
    {
        var generator = new TorchGenerator(0);
        foreach (string name in graph.Graph.Inputs.Keys)
        {
            var target = plan.Input(name);
            float[] values = new float[target.Shape.Count];
            generator.Fill(values);
            switch (target.DType)
            {
                case DType.Float32: graph.Device.Upload(MemoryMarshal.AsBytes<float>(values), target); break;
                case DType.Float16: graph.Device.Upload(MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, v => (Half)v)), target); break;
                case DType.BFloat16:
                    graph.Device.Upload(MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(values, BFloat16Bits.Round)),
                    target); break;
            }
        }
    }
}
