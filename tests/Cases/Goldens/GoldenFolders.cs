namespace ILGpuDiffusion.Cases;

/// <summary>
/// Finds the reference data: the folder that ILGPUDIFFUSION_GOLDENS names, else ../shared/goldens beside the checkout, else the
/// subset tests/Golden inside it. If a folder lacks a set, the next one is searched.
/// </summary>
public static class GoldenFolders
{
    /// <summary>The environment variable that names the complete set's folder.</summary>
    public const string Variable = "ILGPUDIFFUSION_GOLDENS";

    private static readonly Lazy<string[]> AllRoots = new(FindRoots);

    /// <summary>The folders, in the order in which they are searched.</summary>
    public static IReadOnlyList<string> Roots => AllRoots.Value;

    /// <summary>The full path of a file or folder of the reference data, or null when no root has it.</summary>
    /// <param name="relative">Its path inside the goldens, with '/'.</param>
    public static string? Find(string relative)
    {
        foreach (string root in Roots)
        {
            string path = Path.Combine(root, relative);
            if (File.Exists(path) || Directory.Exists(path)) return path;
        }

        return null;
    }

    /// <summary>
    /// As <see cref="Find"/>, but skips the running test (or fails it, where goldens are required) if nothing is found.
    /// </summary>
    public static string Need(string relative) => Find(relative) ?? throw Absent(relative);

    /// <summary>The checkout's root folder: the one with ILGpuDiffusion.sln, upwards from the test assembly.</summary>
    public static string? Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ILGpuDiffusion.sln"))) return folder.FullName;
        return null;
    }

    private static InvalidOperationException Absent(string relative) => Required.Absent("goldens",
        $"The reference data '{relative}' is not present (looked in {(Roots.Count == 0 ? "no folder" : string.Join(", ", Roots))}); set "
            + $"{Variable} to the folder of the complete goldens.");

    private static string[] FindRoots()
    {
        var roots = new List<string>();
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
        {
            // A wrong path must not silently reduce the tests to the subset.
            if (!Directory.Exists(given)) throw new DirectoryNotFoundException($"{Variable} is '{given}', which is not a folder.");
            roots.Add(Path.GetFullPath(given));
        }

        if (Repository() is { } repository)
        {
            if (roots.Count == 0) roots.Add(Path.GetFullPath(Path.Combine(repository, "..", "shared", "goldens")));
            roots.Add(Path.Combine(repository, "tests", "Golden"));
        }

        return [.. roots.Where(Directory.Exists)];
    }
}
