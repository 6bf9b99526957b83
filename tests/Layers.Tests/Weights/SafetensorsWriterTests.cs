using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ilgpudiffusion-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Save_ThroughALink_ChangesTheFileBehindIt()
    {
        string elsewhere = Directory.CreateDirectory(Path.Combine(folder, "elsewhere")).FullName,
            link = Path.Combine(folder, "link.safetensors"), file = Path.Combine(elsewhere, "a.safetensors");
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
        Writer().Save("/dev/null"); // has no position, and must not be replaced by a file
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
