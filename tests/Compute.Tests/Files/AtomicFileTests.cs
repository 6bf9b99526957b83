using System.Net.Sockets;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The kind of a target file decides how it is written; failures of a disk are reported.</summary>
public sealed class AtomicFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ilgpudiffusion-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Write_ContentFails_KeepsTheEarlierFileAndLeavesNothingElse()
    {
        string path = Path.Combine(folder, "data.bin");
        File.WriteAllText(path, "earlier");
        Assert.Throws<IOException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write([1, 2, 3]);
            throw new IOException("disk full");
        }));
        Assert.Equal("earlier", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(folder));
    }

    [Fact]
    public void Write_UntilTheNewFileIsWhole_ReadersSeeTheOldOne()
    {
        string path = Path.Combine(folder, "data.bin");
        File.WriteAllText(path, "earlier");
        AtomicFile.Write(path, stream =>
        {
            stream.Write("new"u8);
            stream.Flush();
            Assert.Equal("earlier", File.ReadAllText(path));
        });
        Assert.Equal("new", File.ReadAllText(path));
    }

    [Fact]
    public void Write_LongestName_Works()
    {
        string path = Path.Combine(folder, new string('n', 255)); // the temporary name must not be longer
        AtomicFile.Write(path, stream => stream.WriteByte(1));
        Assert.Equal([1], File.ReadAllBytes(path));
    }

    [Fact]
    public async Task Write_APipe_IsWrittenToAndStays()
    {
        string pipe = Path.Combine(folder, "pipe.png");
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no named pipes in folders.");
        NotRegular.MakePipe(pipe);
        Assert.True(AtomicFile.IsDevice(pipe));
        var reader = Task.Run(() => File.ReadAllText(pipe), TestContext.Current.CancellationToken);
        AtomicFile.Write(pipe, stream => stream.Write("through"u8));
        Assert.Equal("through", await reader.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        Assert.Equal(FileKind.Pipe, InputFile.Kind(pipe));
        Assert.Single(Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void Write_ARegularFileBelowDev_IsReplacedWhole()
    {
        if (!Directory.Exists("/dev/shm")) Assert.Skip("This system has no /dev/shm.");
        string path = $"/dev/shm/ilgpudiffusion-{Guid.NewGuid():n}.png";
        try
        {
            File.WriteAllText(path, "a long earlier content");
            Assert.False(AtomicFile.IsDevice(path));
            AtomicFile.Write(path, stream => stream.Write("short"u8));
            Assert.Equal("short", File.ReadAllText(path)); // without the end of the earlier content
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory, InlineData("/dev/full"), InlineData("/dev/null")]
    public void Write_ADevice_FailsAsTheDeviceDoes(string path)
    {
        if (!File.Exists(path)) Assert.Skip($"This system has no {path}.");
        Assert.True(AtomicFile.IsDevice(path));
        void Write() => AtomicFile.Write(path, stream => stream.Write("text"u8));
        if (path == "/dev/full") Assert.Throws<IOException>(Write);
        else Write();
        Assert.Equal(FileKind.Device, InputFile.Kind(path));
    }

    [Fact]
    public void Write_OneOfTheProcessesDescriptors_AppendsThere()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no descriptors.");
        string path = Path.Combine(folder, "redirected.txt");
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write("before, "u8);
        // positioned after earlier output, as a shell's redirection may be
        string descriptor = $"/dev/fd/{file.SafeFileHandle.DangerousGetHandle()}";
        AtomicFile.Write(descriptor, stream => stream.Write("between, "u8));
        AtomicFile.Write(descriptor, stream => stream.Write("after"u8));
        Assert.Equal("before, between, after", File.ReadAllText(path));
    }

    [Fact]
    public void Write_OverAFile_KeepsItsPermissions()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no modes.");
            return; // for the analyzer, which does not know that the line above throws
        }

        string path = Path.Combine(folder, "secret.png");
        foreach (var mode in (UnixFileMode[])[UnixFileMode.UserRead | UnixFileMode.UserWrite, (UnixFileMode)0b110_110_110])
        {
            File.WriteAllText(path, "earlier");
            File.SetUnixFileMode(path, mode);
            AtomicFile.Write(path, stream =>
            {
                stream.Write("new"u8);
                Assert.All(Directory.GetFiles(folder, "*.tmp"), temporary => Assert.Equal(mode, new FileInfo(temporary).UnixFileMode));
            });
            Assert.Equal(("new", mode), (File.ReadAllText(path), File.GetUnixFileMode(path)));
        }
    }

    [Fact]
    public void Write_TheDiskFails_SaysSoAndLeavesTheEarlierFile()
    {
        string path = Path.Combine(folder, "data.bin");
        File.WriteAllText(path, "earlier");
        var failure = Assert.Throws<IOException>(() =>
            AtomicFile.Write(path, stream => stream.Write("new"u8), _ => throw new IOException("the disk did not take it")));
        Assert.Contains("the disk", failure.Message, StringComparison.Ordinal);
        Assert.Equal("earlier", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(folder));
    }

    [Fact]
    public void FlushToDisk_AnErrorOfTheSystem_IsThrown()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Unix only.");
        using var closed = new Microsoft.Win32.SafeHandles.SafeFileHandle(1 << 20, ownsHandle: false); // no descriptor has this number
        Assert.Contains("the disk did not take it", Assert.Throws<IOException>(() => UnixFiles.FlushToDisk(closed)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Kind_OfEachKindOfFile_IsDetected()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Unix only.");
        string file = Path.Combine(folder, "file"), link = Path.Combine(folder, "link"), socket = Path.Combine(folder, "socket");
        File.WriteAllText(file, "");
        File.CreateSymbolicLink(link, file);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(socket));
        Assert.Equal([FileKind.Regular, FileKind.Regular, FileKind.Folder, FileKind.Socket, FileKind.Missing, FileKind.Device],
            ((string[])[file, link, folder, socket, Path.Combine(folder, "none"), "/dev/zero"]).Select(InputFile.Kind));
    }

    public static TheoryData<string> NotRegularKinds => [.. NotRegular.Kinds];

    [Theory, MemberData(nameof(NotRegularKinds))]
    public void Read_NotARegularFile_IsRefusedAtOnce(string kind)
    {
        string path = Path.Combine(folder, "input");
        NotRegular.Make(kind, path);
        NotRegular.Throws<IOException>(() => InputFile.ReadAllBytes(path, 1000));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(99_999), InlineData(100_000), InlineData(100_001)]
    public void ReadAllBytes_AroundTheLimit_ReadsOrThrows(int bytes)
    {
        string path = Path.Combine(folder, "data");
        byte[] content = [.. Enumerable.Range(0, bytes).Select(i => (byte)i)];
        File.WriteAllBytes(path, content);
        if (bytes <= 100_000) Assert.Equal<IEnumerable<byte>>(content, InputFile.ReadAllBytes(path, 100_000));
        else Assert.Contains("more than 100000 bytes", Assert.Throws<IOException>(() => InputFile.ReadAllBytes(path, 100_000)).Message,
            StringComparison.Ordinal);
        // a regular file that reports a length of 0
        if (File.Exists("/proc/cpuinfo")) Assert.NotEmpty(InputFile.ReadAllBytes("/proc/cpuinfo", 1 << 24));
    }
}
