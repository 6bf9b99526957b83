using System.Collections.Concurrent;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// A GPU that only translates: binding an op's kernels gives the code that a device of this kind would get. Nothing runs, memory is a
/// number.
/// </summary>
/// <param name="target">The target of the code.</param>
/// <param name="artifacts">The translator; by default the compiler.</param>
/// <param name="loggerFactory">Receives its log messages.</param>
internal sealed class TranslatingDevice(GpuTarget target, IArtifactSource? artifacts = null, ILoggerFactory? loggerFactory = null)
    : GpuDevice(artifacts ?? new Translator(), loggerFactory)
{
    private const int DefaultGap = 3; // elements between rows

    private readonly ConcurrentDictionary<KernelSource, KernelArtifact> bound = new();
    private readonly List<BoundKernel> launches = [];
    private int buffers;

    /// <summary>The kernels that were bound so far.</summary>
    public IReadOnlyDictionary<KernelSource, KernelArtifact> Artifacts => bound;

    /// <summary>
    /// The launches of everything bound so far, in the order in which they would run. Handles of buffers are numbers from 1.
    /// </summary>
    public IReadOnlyList<BoundKernel> Launches => launches;

    public override string Id => Target.Language == GpuLanguage.Ptx ? "cuda:9" : "opencl:9";

    public override string Name => "translator";

    public override Backends Backend => Target.Language == GpuLanguage.Ptx ? Backends.Cuda : Backends.OpenCL;

    public override long MemoryBytes => 1L << 40;

    public override GpuTarget Target => target;

    protected override IDeviceQueue Queued => throw new NotSupportedException();

    protected override GpuStaging Staging => throw new NotSupportedException();

    protected override GpuBuffer? TryAllocate(long bytes, out string problem)
    {
        problem = "";
        return new Nothing(this, ++buffers, bytes);
    }

    protected override void Read(GpuBuffer source, long offset, Span<byte> target) => target.Clear();

    public override void Dispose() => EndLoading();

    internal override GpuFunction Load(KernelSource source, KernelArtifact artifact, IArtifactSource keep)
    {
        bound.TryAdd(source, artifact);
        return new Loaded(this, source, artifact);
    }

    /// <summary>Binds an op to arguments of the given types, each with a gap between rows unless told otherwise.</summary>
    public void Bind(Op op, IEnumerable<TensorType> inputs, string? variant = null, KernelSettings? settings = null, int gap = DefaultGap)
    {
        var signature = Signature(op, inputs);
        Bind(signature, variant is null ? this.Kernels.Choose(signature)
            : new(op.Kernels.Variants.Single(v => v.Name == variant), settings ?? KernelSettings.Default), gap);
    }

    /// <summary>As <see cref="Bind(Op, IEnumerable{TensorType}, string, KernelSettings, int)"/>, with a variant by name.</summary>
    /// <returns>False if the device could not choose it.</returns>
    public bool TryBind(Op op, IEnumerable<TensorType> inputs, string variant, int gap = DefaultGap)
    {
        // With it, the variants of whole float32 numbers are candidates too.
        var signature = Signature(op, inputs) with { Float32Precision = Float32Precision.TensorFloat32 };
        if (op.Kernels.Candidates(this, signature).FirstOrDefault(v => v.Name == variant) is not { } found) return false;
        Bind(signature, found.Untuned(this, signature), gap);
        return true;
    }

    /// <summary>An op with its types.</summary>
    public static OpSignature Signature(Op op, IEnumerable<TensorType> inputs)
    {
        TensorType[] types = [.. inputs];
        return new OpSignature(op, types, op.Infer(types));
    }

    /// <summary>Binds the choice for a signature.</summary>
    public void Bind(OpSignature signature, KernelChoice choice, int gap = DefaultGap)
    {
        Tensor Make(TensorType type) =>
            new(Allocate(2 * type.Bytes + 64 * type.Concrete().Rows), 0, type.DType, type.Concrete(), type.Concrete().Last + gap);
        var kernel = this.Kernels.Get(signature, choice);
        var scratch = kernel.ScratchBytes(signature) is > 0 and var bytes
            ? Make(new TensorType(DType.Int8, Shape.Create([checked((int)bytes)]))) : null;
        kernel.Bind(new OpCall(this, signature.Op, [.. signature.Inputs.Select(Make)], Make(signature.Output),
            scratch)
        { KernelPositionsFirst = signature.KernelPositionsFirst }).Run();
    }

    private sealed class Nothing(GpuDevice device, int number, long bytes) : GpuBuffer(device, number, bytes)
    {
        protected override void Free(nint handle) { }
    }

    private sealed class Loaded(TranslatingDevice device, KernelSource source, KernelArtifact artifact)
        : GpuFunction(device, source, artifact)
    {
        protected override Launch BindChecked(GpuGrid grid, GpuArguments arguments, ILaunchSubject? subject) =>
            new Recorded(() => device.launches.Add(new BoundKernel(Source, grid, arguments)));

        internal override void Unload() { }
    }

    private sealed class Recorded(Action run) : Launch
    {
        public override void Run() => run();
    }
}

/// <summary>A kernel with its groups and arguments.</summary>
internal sealed record BoundKernel(KernelSource Source, GpuGrid Grid, GpuArguments Arguments);
