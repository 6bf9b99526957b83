namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>Tests of pipelines that share a GPU device, and so its counters, do not run in parallel.</summary>
public sealed class SharedDeviceTests
{
    [Fact]
    public void Classes_OnASharedGpu_AreOfOneCollection()
    {
        string[] sharing = [.. Directory.GetFiles(Path.Combine(Repository.Root, "tests", "Pipelines.Tests"), "*.cs",
            SearchOption.AllDirectories)
                .Where(file => !file.Contains("/Cli/", StringComparison.Ordinal)
                    && File.ReadAllText(file).Contains("TestDevices.OpenForModels(", StringComparison.Ordinal))];
        Assert.True(sharing.Length > 4, $"{sharing.Length} classes share a device.");
        Assert.All(sharing, file => Assert.Contains("[Collection(nameof(OneGpuTestAtATime))]", File.ReadAllText(file),
            StringComparison.Ordinal));
    }
}
