using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One GEMM after the other, each into its own columns.</summary>
internal static class GroupedMatMulCpu
{
    public static Launch Bind(OpCall call)
    {
        int count = ((GroupedMatMul)call.Op).Count, column = 0;
        bool biased = call.Inputs.Length > 1 + count;
        var launches = new Launch[count];
        for (int i = 0; i < count; i++)
        {
            Tensor x = call.Inputs[0], w = call.Inputs[1 + i], y = call.Output.Columns(column, w.Shape[0]);
            launches[i] = SimdKernel.Bind<MatMulCpu>(call
                with
            { Op = new MatMul(), Inputs = biased ? [x, w, call.Inputs[1 + count + i]] : [x, w], Output = y });
            column += w.Shape[0];
        }

        return new SequenceLaunch(launches);
    }
}
