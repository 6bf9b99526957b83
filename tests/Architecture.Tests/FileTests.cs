namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>Files stay small, and their namespaces say which room they are in.</summary>
public sealed class FileTests
{
    private const int MostLines = 400, MostMedianLines = 120;

    [Fact]
    public void Sources_AreSmall()
    {
        int[] lengths = [.. Repository.Rooms.Take(3).SelectMany(Repository.Sources).Select(f => File.ReadLines(f).Count()).Order()];
        string[] tooLong = [.. Repository.Rooms.Take(3).SelectMany(Repository.Sources).Where(f => File.ReadLines(f).Count() > MostLines)];
        Assert.Empty(tooLong);
        Assert.InRange(lengths[lengths.Length / 2], 1, MostMedianLines);
    }

    [Theory]
    [InlineData("Compute", "ILGpuDiffusion.Compute"), InlineData("Layers", "ILGpuDiffusion.Layers")]
    [InlineData("Pipelines", "ILGpuDiffusion.Pipelines"), InlineData("Pipelines/Cli", "ILGpuDiffusion.Cli")]
    public void Namespace_NamesTheRoom(string room, string expected)
    {
        foreach (string file in Repository.Sources(room).Where(f => room == "Pipelines/Cli" || !f.Contains("/Cli/", StringComparison.Ordinal)))
        {
            string? line = File.ReadLines(file).FirstOrDefault(l => l.StartsWith("namespace ", StringComparison.Ordinal));
            if (Path.GetFileName(file) == "Program.cs" && line is null) continue;
            Assert.Equal($"namespace {expected};", line);
        }
    }

    [Fact]
    public void Readme_NamesEveryPackage()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string[] packages = [.. Repository.Rooms.SelectMany(r => Repository.Includes(Repository.Project(r), "PackageReference")).Distinct()];
        Assert.NotEmpty(packages);
        Assert.All(packages, package => Assert.Contains($"`{package}`", readme, StringComparison.Ordinal));
    }
}
