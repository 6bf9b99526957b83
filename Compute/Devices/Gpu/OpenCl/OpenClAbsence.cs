namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Why a machine has no OpenCL device. A program reaches a device through a loader library, the drivers registered with it (its platforms),
/// and their devices.
/// </summary>
internal static class OpenClAbsence
{
    /// <summary>What to do if the loader library is missing.</summary>
    public const string NoLoader = "There is no OpenCL loader: install the GPU maker's driver, or the system's loader "
        + "(Debian and Ubuntu: ocl-icd-libopencl1; Fedora: ocl-icd) and a driver.";

    private const string Folders = "OCL_ICD_VENDORS";

    /// <summary>Why the loader finds no device; null if it finds one.</summary>
    /// <param name="api">The loader.</param>
    /// <param name="environment">Reads environment variables.</param>
    /// <exception cref="DeviceException">The loader or a driver fails.</exception>
    public static string? Of(IOpenCl api, Func<string, string?> environment)
    {
        var platforms = OpenClInfo.Platforms(api);
        if (platforms.Count == 0)
        {
            string places = environment(Folders) is { Length: > 0 } named
                ? $"{Folders} has it look in '{named}': unset that, or name the folder of your driver's .icd file"
                : "It looks in /etc/OpenCL/vendors";
            return "OpenCL: the loader is installed, but no driver is registered with it (no platform). "
                + $"Install the OpenCL driver of your device's maker (for a processor: pocl-opencl-icd). {places}.";
        }

        return platforms.Any(p => p.Devices > 0) ? null
            : $"OpenCL: drivers are installed ({string.Join(", ", platforms.Select(p => p.Name))}), but see no device. "
            + "Check that the device exists, that this user may access it (Linux: /dev/dri, groups render and video) and, in a container, "
                + "that the container was given access to it.";
    }
}
