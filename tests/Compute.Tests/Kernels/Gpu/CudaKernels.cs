using System.Collections.Concurrent;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>A kernel that some case of an op can run.</summary>
internal sealed record CudaKernel(string Op, string Variant, KernelSource Source, KernelArtifact Artifact);

/// <summary>
/// The CUDA kernels of the library: for each architecture, those that the cases of all ops can choose, in every type. Each is translated
/// once, for all tests of the process: between architectures only the target in the text differs, which <see cref="KernelTextTests"/>
/// shows.
/// </summary>
internal static class CudaKernels
{
    private static readonly ConcurrentDictionary<string, Lazy<IReadOnlyList<CudaKernel>>> Known = new();
    private static readonly Translator Once = new();

    /// <summary>All of them for an architecture, such as 9, 0.</summary>
    public static IReadOnlyList<CudaKernel> Of(int major, int minor) =>
        Known.GetOrAdd($"{major}.{minor}", _ => new(() => Find(GpuTarget.Cuda(major, minor)))).Value;

    private static IReadOnlyList<CudaKernel> Find(GpuTarget target)
    {
        var kernels = new ConcurrentDictionary<KernelSource, CudaKernel>();
        Parallel.ForEach(OpCatalog.Cases, new ParallelOptions { MaxDegreeOfParallelism = 2 }, cases =>
        {
            OpCase[] plain = [.. cases.Cases];
            foreach (var @case in plain.Concat(plain.Select(c => c.With(DType.BFloat16)).OfType<OpCase>())
                .Concat(plain.Select(c => c.With(DType.Float16)).OfType<OpCase>()))
            {
                foreach (var (variant, gap) in cases.Cases.First().Op.Kernels.Variants.SelectMany(v => new[] { (v.Name, 3), (v.Name, 8) }))
                {
                    var device = new TranslatingDevice(target, Once);
                    if (!device.TryBind(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)), variant, gap)) continue;
                    foreach (var (source, artifact) in device.Artifacts) kernels.TryAdd(source,
                        new CudaKernel(cases.Op.Name, variant, source, artifact));
                }
            }
        });
        return [.. kernels.Values.OrderBy(k => k.Op, StringComparer.Ordinal).ThenBy(k => k.Variant, StringComparer.Ordinal)
            .ThenBy(k => k.Source.ToString(), StringComparer.Ordinal)];
    }

    private sealed class Translator : IArtifactSource
    {
        private readonly ConcurrentDictionary<KernelSource, Lazy<KernelArtifact>> texts = new();

        public KernelArtifact Get(KernelSource source, GpuTarget target) =>
            texts.GetOrAdd(source, s => new(() => KernelCompiler.Compile(s, GpuTarget.Cuda(9, 0)))).Value;

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
    }
}
