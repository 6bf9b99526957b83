using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Finds the vendors' driver libraries at run time: a machine without one simply has no such device.</summary>
internal static class GpuLibrary
{
    /// <summary>Loads the first library that is there and binds its functions.</summary>
    /// <param name="names">File names or paths, best first.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="advice">What to do where none is there.</param>
    /// <param name="bind">Looks the functions up; may throw <see cref="EntryPointNotFoundException"/>.</param>
    /// <param name="problem">Why there is none; null on success.</param>
    public static T? TryLoad<T>(string[] names, string what, string advice, Func<nint, T> bind, out string? problem) where T : class
    {
        foreach (string name in names)
        {
            if (!NativeLibrary.TryLoad(name, out nint handle)) continue; // stays loaded: drivers do not survive being unloaded
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
