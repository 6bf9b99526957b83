using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A kernel pack that cannot be used; nothing of it was run.</summary>
/// <param name="file">The pack's file.</param>
/// <param name="problem">What is wrong with it and what to do, as the rest of a sentence.</param>
/// <param name="inner">The cause.</param>
public sealed class KernelPackException(string file, string problem, Exception? inner = null)
    : IOException($"{OutsideText.Line(file)}: {problem}", inner)
{
    /// <summary>The pack's file.</summary>
    public string File => file;
}
