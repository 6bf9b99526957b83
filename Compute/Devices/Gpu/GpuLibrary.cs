using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Loads the vendors' driver libraries at run time: a machine without one has no such device.</summary>
internal static class GpuLibrary
{
    /// <summary>Loads the first available library and binds its functions.</summary>
    /// <param name="names">File names or paths, best first.</param>
    /// <param name="what">Name of the library for messages.</param>
    /// <param name="advice">What to do if none is available.</param>
    /// <param name="bind">Looks the functions up; may throw <see cref="EntryPointNotFoundException"/>.</param>
    /// <param name="problem">Why it could not be loaded; null on success.</param>
    public static T? TryLoad<T>(string[] names, string what, string advice, Func<nint, T> bind, out string? problem) where T : class
    {
        foreach (string name in names)
        {
            if (!NativeLibrary.TryLoad(name, out nint handle)) continue; // never unloaded: drivers crash when they are
            try
            {
                problem = null;
                return bind(handle);
            }
            catch (EntryPointNotFoundException e)
            {
                problem = $"{what}: {name} is too old or not a driver ({e.Message})";
                return null;
            }
        }

        problem = $"{what}: {string.Join(" or ", names)} cannot be loaded. {advice}";
        return null;
    }
}
