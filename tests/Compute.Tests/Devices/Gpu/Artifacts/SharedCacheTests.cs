using System.Diagnostics;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Several processes start at the same time with one empty cache: each gets every kernel, and all files are complete afterwards.
/// </summary>
public sealed class SharedCacheTests
{
    private const string FolderVariable = "ILGPUDIFFUSION_SHARED_CACHE_TEST";
    private const int Kernels = 6, Processes = 3;
    private static readonly GpuTarget Target = GpuTarget.Cuda(9, 0, "driver 1");

    [Fact]
    public async Task Processes_ThatShareAFolder_AllGetWholeKernels()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is not null) Assert.Skip("This is a child process.");
        using var temporary = new TemporaryFolder();
        string folder = Path.Combine(temporary.Path, "made-by-whoever-comes-first");
        var results = await Task.WhenAll(Enumerable.Range(0, Processes).Select(_ => Child(folder)));
        Assert.All(results, result => Assert.True(result.Code == 0, result.Output));
        Assert.All(results, result => Assert.Contains("Failed: 0, Skipped: 0", result.Output, StringComparison.Ordinal));
        Assert.Equal((Kernels, Kernels), (Directory.GetFiles(folder, "*.kernel").Length, Directory.GetFiles(folder, "*.binary").Length));
        Assert.Empty(Directory.GetFiles(folder, "*.tmp"));

        int compiled = 0;
        var cache = new ArtifactCache(folder, compile: (_, _) => throw new InvalidOperationException($"{++compiled} kernels are missing."));
        for (int i = 0; i < Kernels; i++) Assert.Equal(Binary(i), cache.Get(Source(i), Target).Binary);
    }

    /// <summary>The work of each child process: writes, reads and removes at the same time as the others.</summary>
    [Fact]
    public void Child_BesideOthers_GetsEveryKernel()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (folder is null) Assert.Skip("This runs as a child process of the test above.");
        for (int round = 0; round < 40; round++)
        {
            var cache = new ArtifactCache(folder, compile: (source, _) => Artifact(source));
            for (int i = 0; i < Kernels; i++)
            {
                var artifact = cache.Get(Source(i), Target);
                Assert.Equal(Artifact(Source(i)).Text, artifact.Text);
                Assert.True(artifact.Binary is null || artifact.Binary.AsSpan().SequenceEqual(Binary(i)));
                cache.StoreBinary(Source(i), Target, Binary(i));
            }

            if (round is 10 or 20) cache.Clear(); // "ilgd cache clear" may run at any time
        }
    }

    private static KernelSource Source(int number) => HandWrittenOp.Source with { GroupSize = 64 + number };

    private static KernelArtifact Artifact(KernelSource source) =>
        new(GpuLanguage.Ptx, "kernel", string.Concat(Enumerable.Repeat($"text of {source.GroupSize}\n", 2000)), null,
            [new(KernelParameterKind.Int32, 4)], 0, source.GroupSize);

    private static byte[] Binary(int number) => [.. Enumerable.Range(0, 30_000).Select(i => (byte)(i * (number + 1)))];

    private static async Task<(int Code, string Output)> Child(string folder)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH")
            ?? "dotnet")
        { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = [typeof(SharedCacheTests).Assembly.Location, "-noColor", "-noLogo", "-method",
            $"*.{nameof(Child_BesideOthers_GetsEveryKernel)}"];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        start.Environment[FolderVariable] = folder;
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        string output = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();
        return (child.ExitCode, output + await errors);
    }
}
