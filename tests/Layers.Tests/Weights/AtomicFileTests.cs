using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

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
    public void Write_ReadersSeeTheOldFileUntilTheNewOneIsWhole()
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
        string path = Path.Combine(folder, new string('n', 255)); // the temporary name must not be longer still
        AtomicFile.Write(path, stream => stream.WriteByte(1));
        Assert.Equal([1], File.ReadAllBytes(path));
    }

    [Fact]
    public void Save_ThroughALink_ChangesTheFileBehindIt()
    {
        string elsewhere = Directory.CreateDirectory(Path.Combine(folder, "elsewhere")).FullName, link = Path.Combine(folder, "link.safetensors"), file = Path.Combine(elsewhere, "a.safetensors");
        Writer().Save(file);
        byte[] expected = File.ReadAllBytes(file);
        File.WriteAllText(file, "old");
        File.CreateSymbolicLink(link, file);
        Writer().Save(link);
        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Equal(expected, File.ReadAllBytes(file));
    }

    [Fact]
    public void Save_ToADevice_WritesThereAndLeavesItThere()
    {
        if (!File.Exists("/dev/null")) Assert.Skip("This system has no /dev/null.");
        Writer().Save("/dev/null"); // which has no position to ask for, and must not be replaced by a file
        Assert.Empty(File.ReadAllBytes("/dev/null"));
        Assert.True(AtomicFile.IsDevice("/dev/../dev/stdout"));
        Assert.False(AtomicFile.IsDevice(Path.Combine(folder, "dev")));
    }

    private static SafetensorsWriter Writer()
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", DType.Float32, [3], new float[] { 1, 2, 3 });
        return writer;
    }
}
