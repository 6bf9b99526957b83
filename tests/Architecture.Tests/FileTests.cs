namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>Limits on the size of files.</summary>
public sealed class FileTests
{
    private const int MostLines = 400, MostMedianLines = 120;

    [Fact]
    public void Sources_OfTheLibraries_AreSmall()
    {
        int[] lengths = [.. Repository.Rooms.Take(3).SelectMany(Repository.Sources).Select(f => File.ReadLines(f).Count()).Order()];
        string[] tooLong = [.. Repository.Rooms.Take(3).SelectMany(Repository.Sources).Where(f => File.ReadLines(f).Count() > MostLines)];
        Assert.Empty(tooLong);
        Assert.InRange(lengths[lengths.Length / 2], 1, MostMedianLines);
    }

    [Fact]
    public void Dependencies_ReferencedPackages_AreAllNamed()
    {
        string table = File.ReadAllText(Path.Combine(Repository.Root, "CONTRIBUTING.md"));
        string[] packages = [.. Repository.Rooms.SelectMany(r => Repository.Includes(Repository.Project(r), "PackageReference"))
            .Distinct()];
        Assert.NotEmpty(packages);
        Assert.All(packages, package => Assert.Contains($"`{package}`", table, StringComparison.Ordinal));
    }
}
