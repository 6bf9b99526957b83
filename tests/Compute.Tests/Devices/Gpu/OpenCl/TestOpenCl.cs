using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The machine's OpenCL driver; without one, a test that needs it is skipped, or fails if it is required.</summary>
internal static class TestOpenCl
{
    public static IOpenCl Api =>
        OpenClLibrary.TryLoad(out string? problem) is { } api && OpenClInfo.All(api).Count > 0 ? api
            : throw Required.Absent("opencl", problem ?? "OpenCL: the driver has no device.");

    /// <summary>Its first device.</summary>
    public static OpenClDevice Open(IOpenCl? api = null, IArtifactSource? artifacts = null, ILoggerFactory? loggerFactory = null) =>
        new(api ??= Api, OpenClInfo.All(api)[0], 0, artifacts ?? new HandWrittenOp.Artifacts(), loggerFactory: loggerFactory);
}
