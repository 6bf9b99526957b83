using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Kinds of kernel parameters.</summary>
internal enum KernelParameterKind
{
    /// <summary>A range of device memory.</summary>
    View,

    /// <summary>An int.</summary>
    Int32,

    /// <summary>A long.</summary>
    Int64,

    /// <summary>A float.</summary>
    Single,
}

/// <summary>One kernel parameter.</summary>
/// <param name="Kind">Kind of the parameter.</param>
/// <param name="ElementBytes">Bytes of a view's element, or of the number.</param>
internal readonly record struct KernelParameter(KernelParameterKind Kind, int ElementBytes);

/// <summary>A compiled kernel, as passed to a driver.</summary>
/// <param name="Language">Language of <paramref name="Text"/>.</param>
/// <param name="Entry">The kernel's name in the text.</param>
/// <param name="Text">PTX or OpenCL C.</param>
/// <param name="Binary">The driver's binary of the text, if cached; valid only for the driver that made it.</param>
/// <param name="Parameters">In the order of the C# method.</param>
/// <param name="SharedBytes">Shared memory declared by the text, in bytes.</param>
/// <param name="GroupSize">Work items per group.</param>
internal sealed record KernelArtifact(
    GpuLanguage Language, string Entry, string Text, byte[]? Binary, ImmutableArray<KernelParameter> Parameters, int SharedBytes,
        int GroupSize);

/// <summary>Source of compiled kernels: the artifact cache, or fixed texts in tests.</summary>
internal interface IArtifactSource
{
    /// <summary>This source for a device: what there is to say about its files goes to the device's log.</summary>
    IArtifactSource For(ILoggerFactory loggerFactory) => this;

    /// <summary>The kernel for a target, compiled if it must be. Called once per source and device.</summary>
    KernelArtifact Get(KernelSource source, GpuTarget target);

    /// <summary>Whether neither this library nor, if binaries are cached, the driver has to compile anything.</summary>
    bool Has(KernelSource source, GpuTarget target) => true;

    /// <summary>The driver's binary of a kernel, if it is kept.</summary>
    byte[]? BinaryOf(KernelSource source, GpuTarget target) => null;

    /// <summary>What the kernel's text in a language is determined by, apart from the target; equal in every build of the same
    /// code.</summary>
    string IdentityOf(KernelSource source, GpuLanguage language) =>
        KernelIdentities.Text(source, source.Fingerprint, CompilerIdentity.Of(language));

    /// <summary>Stores the driver's binary for the next process.</summary>
    void StoreBinary(KernelSource source, GpuTarget target, byte[] binary);
}
