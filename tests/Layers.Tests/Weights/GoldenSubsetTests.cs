using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>
/// The reference data in the repository is an unchanged, small part of the complete set, without third-party vocabularies.
/// </summary>
public sealed class GoldenSubsetTests
{
    private static readonly string Subset = Path.Combine(GoldenFolders.Repository()!, "tests", "Golden");

    private static IEnumerable<string> Files() =>
        Directory.EnumerateFiles(Subset, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Subset, path).Replace('\\', '/'))
            .Where(path => !path.StartsWith("embedded/", StringComparison.Ordinal) && !path.StartsWith("images/", StringComparison.Ordinal)
                && path is not ("README.md" or ".gitattributes"));

    [Fact]
    public void Subset_BesideTheCompleteSet_HasTheSameFiles()
    {
        string? complete = GoldenFolders.Roots.FirstOrDefault(root => root != Subset);
        Assert.SkipWhen(complete is null, "only the subset is present; nothing to compare it with.");
        string[] different = [.. Files().Where(file => !Same(Path.Combine(Subset, file), Path.Combine(complete, file)))];
        Assert.Empty(different);
    }

    [Fact]
    public void Subset_InTheRepository_IsSmallAndHoldsNoVocabulary()
    {
        string[] files = [.. Files()];
        Assert.InRange(files.Sum(file => new FileInfo(Path.Combine(Subset, file)).Length), 30_000_000, 38_000_000);
        Assert.DoesNotContain(files, file => Path.GetFileName(file) is "vocab.json" or "merges.txt" or "spiece.model" or "tokenizer.json");
    }

    private static bool Same(string left, string right) =>
        File.Exists(right) && File.ReadAllBytes(left).AsSpan().SequenceEqual(File.ReadAllBytes(right));
}
