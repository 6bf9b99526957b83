using System.Xml.Linq;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>The files of this repository.</summary>
internal static class Repository
{
    /// <summary>The folder that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The product's rooms, lowest first.</summary>
    public static IReadOnlyList<string> Rooms { get; } = ["Compute", "Layers", "Pipelines", "Pipelines/Cli"];

    /// <summary>C# files of a folder, without build output.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/artifacts/", StringComparison.Ordinal) && !f.Contains("/obj/", StringComparison.Ordinal));

    /// <summary>A room's project file.</summary>
    public static XDocument Project(string room) => XDocument.Load(Directory.GetFiles(Path.Combine(Root, room), "*.csproj").Single());

    /// <summary>Values of Include of all items of a kind.</summary>
    public static string[] Includes(XDocument project, string item) =>
        [.. project.Descendants(item).Select(e => e.Attribute("Include")!.Value)];

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ILGpuDiffusion.sln"))) return folder.FullName;
        throw new InvalidOperationException("The tests do not run inside a checkout: no ILGpuDiffusion.sln above them.");
    }
}
