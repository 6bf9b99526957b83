namespace ILGpuDiffusion.Compute.Files;

/// <summary>
/// The user's cache folder, which holds what can be made again: tuned tiles and compiled kernels. ILGPUDIFFUSION_CACHE names another folder, or <c>off</c> for none;
/// else it is <c>ilgpudiffusion</c> under XDG_CACHE_HOME, the platform's place for caches, or <c>~/.cache</c>.
/// </summary>
public static class CacheFolder
{
    /// <summary>The environment variable that names another folder, or <c>off</c>.</summary>
    public const string Variable = "ILGPUDIFFUSION_CACHE";

    private const string Off = "off", Product = "ilgpudiffusion";

    /// <summary>The folder, which need not exist; null where nothing is to be kept on disk.</summary>
    public static string? Root => Find(Environment.GetEnvironmentVariable);

    /// <summary>A folder in the cache, which need not exist; null where nothing is to be kept on disk.</summary>
    public static string? Sub(string name) => Root is { } root ? Path.Combine(root, name) : null;

    /// <summary>The folder that some environment names.</summary>
    internal static string? Find(Func<string, string?> environment)
    {
        string? named = environment(Variable);
        if (string.Equals(named, Off, StringComparison.OrdinalIgnoreCase)) return null;
        if (!string.IsNullOrEmpty(named)) return Path.GetFullPath(named);
        string? xdg = environment("XDG_CACHE_HOME");
        if (!string.IsNullOrEmpty(xdg) && Path.IsPathRooted(xdg)) return Path.Combine(xdg, Product); // the XDG specification: relative paths do not count
        if (OperatingSystem.IsWindows()) return Under(Environment.SpecialFolder.LocalApplicationData, Product);
        return OperatingSystem.IsMacOS() ? Under(Environment.SpecialFolder.UserProfile, "Library", "Caches", Product) : Under(Environment.SpecialFolder.UserProfile, ".cache", Product);
    }

    /// <summary>A place below a folder of the system; null where the system has no such folder, as for a user without a home.</summary>
    private static string? Under(Environment.SpecialFolder folder, params string[] parts)
    {
        string path = Environment.GetFolderPath(folder);
        return path.Length == 0 ? null : Path.Combine([path, .. parts]);
    }
}
