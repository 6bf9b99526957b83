using System.Runtime.Versioning;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Compiled kernels are cached between processes, and damaged files do no harm.</summary>
public sealed class ArtifactCacheTests : IDisposable
{
    private static readonly GpuTarget Target = GpuTarget.Cuda(9, 0, "driver 1");
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"ilgd-cache-{Guid.NewGuid():n}");
    private int compiled;

    public void Dispose()
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Get_InASecondCache_ReadsInsteadOfCompiling()
    {
        var first = Open().Get(Source(1), Target);
        var cache = Open();
        var second = cache.Get(Source(1), Target);
        Assert.Equal(1, compiled);
        Assert.Equal((first.Text, first.Entry, first.SharedBytes, first.GroupSize, first.Language),
            (second.Text, second.Entry, second.SharedBytes, second.GroupSize, second.Language));
        Assert.Equal(first.Parameters, second.Parameters);
    }

    [Fact]
    public void Get_OfAnotherSourceOrTarget_Compiles()
    {
        var cache = Open();
        foreach (var source in new[] { Source(1), Source(2), Source(1) with { GroupSize = 128 }, Source(1) with { Unroll = true },
            KernelSource.Of(typeof(ArtifactCacheTests), "Kernel1", 64, typeof(int)) })
            cache.Get(source, Target);
        cache.Get(Source(1), Target with { Architecture = "sm_80" });
        Assert.Equal(6, compiled);
        cache.Get(Source(1), Target with { Architecture = "sm_120" }); // later GPUs share the newest text
        cache.Get(Source(1), Target with { Driver = "driver 2" }); // texts do not depend on the driver
        Assert.Equal(6, compiled);
    }

    [Fact]
    public void Get_OtherDriver_HasNoBinary()
    {
        byte[] binary = [1, 2, 3];
        var cache = Open();
        Assert.Null(cache.Get(Source(1), Target).Binary);
        cache.StoreBinary(Source(1), Target, binary);
        Assert.Equal(binary, Open().Get(Source(1), Target).Binary);
        Assert.Null(Open().Get(Source(1), Target with { Driver = "driver 2" }).Binary);
        Assert.Equal((1, 1), (cache.Info().Kernels, cache.Info().Binaries));
    }

    [Theory, InlineData("cut"), InlineData("changed"), InlineData("empty"), InlineData("other")]
    public void Get_OfADamagedFile_CompilesAgainWithAWarning(string damage)
    {
        Open().Get(Source(1), Target);
        string file = Assert.Single(Directory.GetFiles(folder, "*.kernel"));
        byte[] content = File.ReadAllBytes(file);
        content[^3] ^= 1;
        File.WriteAllBytes(file, damage switch
        {
            "cut" => content[..^9],
            "changed" => content,
            "empty" => [],
            _ => [.. Enumerable.Repeat((byte)7, 99)]
        });
        using var log = new CollectingLoggerFactory();
        Assert.Equal("text 1", Open().For(log).Get(Source(1), Target).Text);
        Assert.Equal(2, compiled);
        Assert.StartsWith($"kernel cache: {file} is damaged (", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Open().Get(Source(1), Target);
        Assert.Equal(2, compiled); // the recompiled kernel was also written
    }

    [Fact, UnsupportedOSPlatform("windows")]
    public void Folder_ThatOthersCanWriteTo_IsNotUsedAndLoggedOnce()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes.");
        Open().Get(Source(1), Target);
        Assert.All(Directory.GetFiles(folder),
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        using var log = new CollectingLoggerFactory();
        var cache = Open().For(log);
        Assert.False(cache.Has(Source(1), Target));
        for (int i = 1; i < 4; i++) Assert.Equal($"text {i}", cache.Get(Source(i), Target).Text);
        Assert.Equal(4, compiled);
        Assert.Single(Directory.GetFiles(folder, "*.kernel")); // no unusable files were written
        string warning = Assert.Single(log.Warnings);
        Assert.Contains("kernels that lie on disk are not used, but compiled again: other users can write to", warning,
            StringComparison.Ordinal);
        Assert.Contains(CacheFolder.Variable, warning, StringComparison.Ordinal);
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        Assert.Equal("text 1", Open().Get(Source(1), Target).Text);
        Assert.Equal(4, compiled); // the usual permissions of folders are accepted
    }

    [Theory, InlineData(-1), InlineData(int.MinValue), InlineData(int.MaxValue), InlineData(1000)]
    public void Get_OfAFileWithAnImpossibleCount_CompilesAgainWithAWarning(int count)
    {
        Open().Get(Source(1), Target);
        string file = Assert.Single(Directory.GetFiles(folder, "*.kernel"));
        string key = new BinaryReader(new MemoryStream(File.ReadAllBytes(file)[24..])).ReadString();
        File.WriteAllBytes(file, ArtifactFile.Pack(key, writer =>
        {
            writer.Write((byte)GpuLanguage.Ptx);
            writer.Write("entry");
            writer.Write("text of somebody else");
            writer.Write(count); // of parameters
            writer.Write(0L);
        }));
        using var log = new CollectingLoggerFactory();
        Assert.Equal("text 1", Open().For(log).Get(Source(1), Target).Text);
        Assert.Contains($"{file} is damaged (it counts {count} entries in 8 bytes)", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Assert.Equal(2, compiled);
    }

    [Theory, InlineData(-1), InlineData(1 << 30)]
    public void Probed_WithAnImpossibleCount_IsFoundOutAgain(int count)
    {
        using var log = new CollectingLoggerFactory();
        ProbedFeatures Of(string device) => Open().Probed(device, () => new(GpuFeatures.None, ["found again"]), log);
        Of("device");
        string file = Assert.Single(Directory.GetFiles(folder, "*.probe"));
        string key = new BinaryReader(new MemoryStream(File.ReadAllBytes(file)[24..])).ReadString();
        File.WriteAllBytes(file, ArtifactFile.Pack(key, writer =>
        {
            writer.Write((byte)0);
            writer.Write(0);
            writer.Write(new byte[3]);
            writer.Write("CL1.2");
            writer.Write(count); // of failures
        }));
        Assert.Empty(log.Warnings);
        Assert.Equal(["found again"], Of("device").Failures);
        Assert.Contains($"{file} is damaged (it counts {count} entries in 0 bytes)", Assert.Single(log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Get_AfterAFailure_TriesAgain()
    {
        bool fails = true;
        var cache = new ArtifactCache(folder,
            compile: (source, target) => fails ? throw new KernelCompilationException("no") : Compile(source, target),
            fingerprint: _ => "code");
        Assert.Throws<KernelCompilationException>(() => cache.Get(Source(1), Target));
        fails = false;
        Assert.Equal("text 1", cache.Get(Source(1), Target).Text);
    }

    [Fact]
    public void Get_OnManyThreads_CompilesOnce()
    {
        var cache = Open();
        Parallel.For(0, 32, i => cache.Get(Source(i % 2), Target));
        Assert.Equal(2, compiled);
    }

    [Fact]
    public void Files_BeyondTheLimit_GoOldestFirst()
    {
        const int Limit = 40_000; // each file has some 10,100 bytes
        var cache = new ArtifactCache(folder, Limit, (source, target) => Compile(source, target) with { Text = new string('x', 10_000) },
            fingerprint: _ => "code");
        for (int i = 0; i < 3; i++)
        {
            cache.Get(Source(i), Target);
            foreach (string file in Directory.GetFiles(folder)) File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(file).AddHours(-1));
        }

        cache.Get(Source(3), Target);
        Assert.InRange(cache.Info().Bytes, 1, Limit);
        compiled = 0;
        cache = Open();
        cache.Get(Source(3), Target);
        Assert.Equal(0, compiled);
        cache.Get(Source(0), Target);
        Assert.Equal(1, compiled);
    }

    [Fact]
    public void Get_WhereNothingCanBeWritten_StillCompiles()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        File.WriteAllText(folder, "a file where the folder should be");
        try
        {
            Assert.Equal("text 1", Open().Get(Source(1), Target).Text);
        }
        finally
        {
            File.Delete(folder);
        }
    }

    [Fact]
    public void Clear_ForeignFileInTheFolder_StaysInPlace()
    {
        var cache = Open();
        cache.Get(Source(1), Target);
        string stranger = Path.Combine(folder, "note.txt");
        File.WriteAllText(stranger, "mine");
        Assert.Equal(3, cache.Clear()); // with the hashes of the kernel's code and the compiler's
        Assert.Equal(0, cache.Info().Kernels);
        Assert.True(File.Exists(stranger));
    }

    [Fact]
    public void Clear_SomeCannotBeRemoved_RemovesTheOthersAndSaysSo()
    {
        var cache = Open();
        for (int i = 0; i < 3; i++) cache.Get(Source(i), Target);
        int asked = 0;
        var failure = Assert.Throws<IOException>(() => new ArtifactFolder(folder, ArtifactFolder.DefaultLimitBytes).Clear(file =>
        {
            if (file.Extension == ArtifactFolder.KernelSuffix && asked++ == 0)
                throw new UnauthorizedAccessException($"Access to the path '{file.FullName}' is denied.");
            file.Delete();
        }));
        Assert.Contains("file(s) removed, 1 not (Access to the path", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, cache.Info().Kernels);
    }

    private ArtifactCache Open() => new(folder, compile: Compile, fingerprint: _ => "code");

    private static KernelSource Source(int number) => KernelSource.Of(typeof(ArtifactCacheTests), $"Kernel{number}", 64);

    private KernelArtifact Compile(KernelSource source, GpuTarget target)
    {
        Interlocked.Increment(ref compiled);
        string number = source.Name.Split(".Kernel")[1].Split('<')[0];
        return new(target.Language, $"Kernel_{number}", $"text {number}", null,
            [new(KernelParameterKind.View, 4), new(KernelParameterKind.Int32, 4)], SharedBytes: 128, source.GroupSize);
    }
}
