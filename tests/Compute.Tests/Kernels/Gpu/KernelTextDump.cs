using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Writes the text and the launches of every kernel that the op cases can choose, for <c>perf/run.sh texts</c>: comparing two
/// such folders shows whether a refactoring changed GPU code. It checks nothing by itself and is skipped unless a folder is named.
/// </summary>
public sealed class KernelTextDump
{
    /// <summary>The environment variable that names the folder.</summary>
    private const string Variable = "ILGPUDIFFUSION_TEXTS";

    /// <summary>The folder; if none is named, the test is skipped.</summary>
    public static string Folder
    {
        get
        {
            string? folder = Environment.GetEnvironmentVariable(Variable);
            Assert.SkipWhen(string.IsNullOrEmpty(folder), $"{Variable} names no folder to write to; perf/run.sh texts does.");
            return folder!;
        }
    }

    /// <summary>In sequence, so that a text that serves several targets is translated once.</summary>
    [Fact]
    public void Texts_OfEveryTarget_AreWritten()
    {
        string root = Folder;
        foreach (var (name, target) in KernelTargets.All)
        {
            string folder = Path.Combine(root, name);
            var texts = new KernelTextFolder(target, folder);
            Parallel.ForEach(OpCatalog.Cases, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, texts.Write);
            Assert.NotEmpty(Directory.EnumerateFiles(folder));
        }
    }
}
