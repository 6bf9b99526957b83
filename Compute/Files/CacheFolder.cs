namespace ILGpuDiffusion.Compute.Files;

/// <summary>
/// The user's cache folder, for data that can be regenerated: tuning results and compiled kernels. ILGPUDIFFUSION_CACHE names another
/// folder, or <c>off</c> for none; by default it is <c>ilgpudiffusion</c> in XDG_CACHE_HOME, the platform's cache folder, or
/// <c>~/.cache</c>.
/// </summary>
public static class CacheFolder
{
    /// <summary>The environment variable that names another folder, or <c>off</c>.</summary>
    public const string Variable = "ILGPUDIFFUSION_CACHE";

    private const string Off = "off", Product = "ilgpudiffusion";

    /// <summary>The folder, which need not exist; null if nothing is kept on disk.</summary>
    public static string? Root => Find(Environment.GetEnvironmentVariable);

    /// <summary>A subfolder of the cache, which need not exist; null if nothing is kept on disk.</summary>
    public static string? Sub(string name) => Root is { } root ? Path.Combine(root, name) : null;

    /// <summary>The folder for a given environment.</summary>
    internal static string? Find(Func<string, string?> environment)
    {
        string? named = environment(Variable);
        if (string.Equals(named, Off, StringComparison.OrdinalIgnoreCase)) return null;
        if (!string.IsNullOrEmpty(named)) return Path.GetFullPath(named);
        string? xdg = environment("XDG_CACHE_HOME");
        // the XDG specification ignores relative paths
        if (!string.IsNullOrEmpty(xdg) && Path.IsPathRooted(xdg)) return Path.Combine(xdg, Product);
        if (OperatingSystem.IsWindows()) return Under(Environment.SpecialFolder.LocalApplicationData, Product);
        return OperatingSystem.IsMacOS() ? Under(Environment.SpecialFolder.UserProfile, "Library", "Caches", Product)
            : Under(Environment.SpecialFolder.UserProfile, ".cache", Product);
    }

    /// <summary>A path in a special folder; null if there is no such folder, as for a user without a home.</summary>
    private static string? Under(Environment.SpecialFolder folder, params string[] parts)
    {
        string path = Environment.GetFolderPath(folder);
        return path.Length == 0 ? null : Path.Combine([path, .. parts]);
    }
}
