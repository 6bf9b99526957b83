using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The kinds of parameters that kernels have.</summary>
internal enum KernelParameterKind
{
    /// <summary>A stretch of device memory.</summary>
    View,

    /// <summary>An int.</summary>
    Int32,

    /// <summary>A long.</summary>
    Int64,

    /// <summary>A float.</summary>
    Single,
}

/// <summary>One parameter.</summary>
/// <param name="Kind">What is passed.</param>
/// <param name="ElementBytes">Bytes of a view's element, or of the number.</param>
internal readonly record struct KernelParameter(KernelParameterKind Kind, int ElementBytes);

/// <summary>A kernel as a driver takes it.</summary>
/// <param name="Language">What <paramref name="Text"/> is written in.</param>
/// <param name="Entry">The kernel's name in the text.</param>
/// <param name="Text">PTX or OpenCL C.</param>
/// <param name="Binary">What the driver made of the text, where it was kept; for the very driver that made it.</param>
/// <param name="Parameters">In the order of the C# method.</param>
/// <param name="SharedBytes">Shared memory that the text declares.</param>
/// <param name="GroupSize">Work items of a group.</param>
internal sealed record KernelArtifact(
    GpuLanguage Language, string Entry, string Text, byte[]? Binary, ImmutableArray<KernelParameter> Parameters, int SharedBytes, int GroupSize);

/// <summary>Where devices get compiled kernels: the artifact cache, or given texts in tests.</summary>
internal interface IArtifactSource
{
    /// <summary>This source for a device: what there is to say about its files goes to the device's log.</summary>
    IArtifactSource For(ILoggerFactory loggerFactory) => this;

    /// <summary>The kernel for a target, compiled if it must be. Called once per source and device.</summary>
    KernelArtifact Get(KernelSource source, GpuTarget target);

    /// <summary>Whether nothing has to be compiled for it, neither here nor, where binaries are kept, by the driver.</summary>
    bool Has(KernelSource source, GpuTarget target) => true;

    /// <summary>Keeps what the driver made of the text, for the next process.</summary>
    void StoreBinary(KernelSource source, GpuTarget target, byte[] binary);
}
