using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>A device recompiles damaged kernels of the cache, logs a warning, and computes correct results.</summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class DamagedCacheTests
{
    [Theory, InlineData(".kernel"), InlineData(".binary")]
    public void Function_DamagedCacheFile_IsCompiledAgainWithAWarning(string suffix)
    {
        using var temporary = new TemporaryFolder();
        string folder = Path.Combine(temporary.Path, "cache");
        using var log = new CollectingLoggerFactory();
        Run(folder, log);
        string[] files = Directory.GetFiles(folder, "*" + suffix);
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            byte[] content = File.ReadAllBytes(file);
            content[content.Length / 2] ^= 0x40;
            File.WriteAllBytes(file, content);
        }

        Run(folder, log);
        Assert.All(files, file => Assert.Contains(
            $"kernel cache: {file} is damaged (its checksum is wrong); the kernel is compiled again.", log.Warnings));
        Assert.Equal(files.Length, Directory.GetFiles(folder, "*" + suffix).Length); // written again
        log.Clear();
        Run(folder, log);
        Assert.Empty(log.Warnings);
    }

    private static void Run(string folder, CollectingLoggerFactory log)
    {
        using var device = TestOpenCl.Open(artifacts: new ArtifactCache(folder), loggerFactory: log);
        var @case = OpCatalog.Cases.Single(c => c.Op == typeof(Softmax)).Cases.First();
        using var bound = new BoundCase(device, @case, outputPadding: 3);
        bound.Run();
        OpReference.Verify(@case, bound.Read());
    }
}
