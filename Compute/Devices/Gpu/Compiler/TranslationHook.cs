using ILGPU.Backends;
using ILGPU.IR;
using ILGPU.IR.Analyses;
using ILGPU.IR.Analyses.ControlFlowDirection;
using ILGPU.IR.Analyses.TraversalOrders;
using ILGPU.IR.Transformations;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Extends a translation: unrolls loops if the kernel requests it, and adds up its local memory.</summary>
internal sealed class TranslationHook(bool unroll) : IBackendHook
{
    private const int DeepestNesting = 3;

    /// <summary>Local memory that the kernel declares, in bytes.</summary>
    public int SharedBytes { get; private set; }

    public void InitializedKernelContext(IRContext kernelContext, Method kernelMethod)
    {
        if (!unroll) return;
        var passes = Transformer.CreateBuilder(TransformerConfiguration.Empty);
        for (int i = 0; i < DeepestNesting; i++)
        {
            passes.Add(new LoopUnrolling()); // disabled in ILGPU 1.5.3; see KernelSource.Unroll for when it is correct
            passes.Add(new UnreachableCodeElimination());
            passes.Add(new DeadCodeElimination());
            passes.Add(new SimplifyControlFlow());
        }

        kernelContext.Transform(passes.ToTransformer());
    }

    public void OptimizedKernelContext(IRContext kernelContext, Method kernelMethod) =>
        SharedBytes = Allocas.Create(kernelMethod.Blocks).SharedMemorySize;

    public void FinishedCodeGeneration(IRContext kernelContext, Method kernelMethod) { }
}
